"""How the layers of a model are wired, call by call: what Keras 3 no longer tells."""

from __future__ import annotations

from typing import Any

from nb3d.engine.tensor import KerasTensor


def _described(tensor: KerasTensor) -> str:
    history = getattr(tensor, "_keras_history", None)
    if history is None:
        return f"{tensor.name} {tensor.shape}"
    return f"{history.operation.name}[{history.node_index}][{history.tensor_index}] {tensor.shape}"


def connectivity(model: Any) -> str:
    """Inputs and outputs of every call of every layer, calls outside the model included, as text.

    Args:
        model: The model.

    Returns:
        One paragraph per layer: for each node, the tensors that go in and those that come out, as
        ``layer[node][tensor] shape``; a ``*`` marks nodes that belong to the model.
    """
    owned = {id(node) for node in model.nodes}
    lines = []
    for layer in model.operations:
        calls = len(layer._inbound_nodes)
        lines.append(f"{layer.name} ({getattr(layer, 'class_name', type(layer).__name__)}): {calls} inbound node(s)")
        for index, node in enumerate(layer._inbound_nodes):
            mark = "*" if id(node) in owned else " "
            sources = "-" if node.is_input else ", ".join(map(_described, node.input_tensors))
            lines.append(f"  {mark} node {index}: {sources} -> {', '.join(map(_described, node.output_tensors))}")
    return "\n".join(lines)
