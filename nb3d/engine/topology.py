"""The order of a graph: which nodes lead from the inputs to the outputs, and in which order they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nb3d.engine.node import Node
from nb3d.engine.tensor import KerasTensor, is_keras_tensor


@dataclass(frozen=True)
class Topology:
    """The nodes of a graph in an order in which they can run, and the layers they belong to.

    Attributes:
        nodes: Every node between inputs and outputs, before those that need it.
        operations: Layers and operations, deepest first, as Keras lists them.
        uses: ``id`` of a tensor -> how often nodes and outputs take it.
    """

    nodes: tuple[Node, ...]
    operations: tuple[Any, ...]
    uses: Counter[int]


def check_ends(inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Raises `ValueError` unless inputs come from `Input`, once each, and outputs from layers or operations."""
    if not inputs or not outputs:
        raise ValueError("A Model needs at least one input and one output.")
    for kind, tensors in (("inputs", inputs), ("outputs", outputs)):
        for tensor in tensors:
            if not is_keras_tensor(tensor):
                raise ValueError(
                    f"The {kind} of a Model must be symbolic tensors made by nb3d.Input, a layer or an operation on "
                    f"such; got {tensor!r} ({type(tensor).__name__})."
                )
    if len({id(tensor) for tensor in inputs}) != len(inputs):
        raise ValueError(f"The inputs of a Model must differ; got {[tensor.name for tensor in inputs]}.")
    for tensor in inputs:
        layer, node_index, _ = tensor._keras_history
        if not layer._inbound_nodes[node_index].is_input:
            raise ValueError(
                f"Graph disconnected: the inputs of a Model must be made by nb3d.Input, but {tensor.name!r} is an "
                f"output of layer {layer.name!r}. Make an Input of shape {tensor.shape[1:]} and call the layers on it."
            )


def map_graph(inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> Topology:
    """Finds the nodes between `inputs` and `outputs`.

    Raises:
        ValueError: If an output needs a tensor that the inputs do not give, if the graph has a cycle, or if two layers
            have one name.
    """
    nodes, first_seen = _post_order(outputs)
    _check_connected(nodes, inputs)
    depths = _layer_depths(nodes)
    for tensor in inputs:
        layer = tensor._keras_history.operation
        depths.setdefault(layer, 0)
        first_seen.setdefault(layer, -1)
    operations = sorted(depths, key=lambda layer: (-depths[layer], first_seen[layer]))
    _check_names(operations)
    uses = Counter(id(tensor) for node in nodes for tensor in node.dependencies)
    uses.update(id(tensor) for tensor in outputs)
    return Topology(tuple(nodes), tuple(operations), uses)


def _node_of(tensor: KerasTensor) -> Node:
    layer, node_index, _ = tensor._keras_history
    node: Node = layer._inbound_nodes[node_index]
    return node


def _post_order(outputs: Sequence[KerasTensor]) -> tuple[list[Node], dict[Any, int]]:
    """Nodes behind `outputs`, each after what it needs, and when each layer was first met (depth first).

    A stack of our own instead of recursion: networks may be thousands of layers deep.
    """
    order: list[Node] = []
    first_seen: dict[Any, int] = {}
    state: dict[int, str] = {}
    for tensor in outputs:
        stack: list[tuple[Node, Iterator[Node]]] = []
        _enter(_node_of(tensor), state, first_seen, stack)
        while stack:
            node, parents = stack[-1]
            parent = next(parents, None)
            if parent is None:
                state[id(node)] = "done"
                order.append(node)
                stack.pop()
            elif state.get(id(parent)) == "open":
                raise ValueError(f"The graph has a cycle at layer {parent.outbound_layer.name!r}.")
            else:
                _enter(parent, state, first_seen, stack)
    return order, first_seen


def _enter(node: Node, state: dict[int, str], first_seen: dict[Any, int], stack: list[Any]) -> None:
    if id(node) not in state:
        state[id(node)] = "open"
        first_seen.setdefault(node.outbound_layer, len(first_seen))
        stack.append((node, iter(node.sources())))


def _layer_depths(nodes: list[Node]) -> dict[Any, int]:
    """How far each layer is from the outputs; a shared layer takes the largest of its nodes' depths."""
    node_depths: dict[int, int] = {}
    layer_depths: dict[Any, int] = {}
    for node in reversed(nodes):
        layer = node.outbound_layer
        depth = max(node_depths.get(id(node), 0), layer_depths.get(layer, 0))
        node_depths[id(node)] = layer_depths[layer] = depth
        for parent in node.sources():
            node_depths[id(parent)] = max(node_depths.get(id(parent), 0), depth + 1)
    return layer_depths


def _check_connected(nodes: list[Node], inputs: Sequence[KerasTensor]) -> None:
    available = {id(tensor) for tensor in inputs}
    accessed: list[str] = []
    for node in nodes:
        layer = node.outbound_layer
        for tensor in node.dependencies:
            if id(tensor) not in available:
                raise ValueError(
                    f"Graph disconnected: cannot obtain value for tensor {tensor.name!r} of shape {tensor.shape} at "
                    f"layer {layer.name!r}. These previous layers were accessed without issue: {accessed[-10:]}."
                )
        available.update(id(tensor) for tensor in node.output_tensors)
        accessed.append(layer.name)


def _check_names(operations: list[Any]) -> None:
    counts = Counter(layer.name for layer in operations)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise ValueError(f"The names of a Model's layers must differ; {twice} stand for several layers each.")
