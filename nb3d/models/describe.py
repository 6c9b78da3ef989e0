"""A model's configuration: its layers, and how the nodes that belong to it connect them."""

from __future__ import annotations

import warnings
from typing import Any

from nb3d.engine import sharing
from nb3d.engine.network import Network
from nb3d.engine.node import Node, symbolic_leaves
from nb3d.engine.operation import Operation
from nb3d.engine.structure import map_structure
from nb3d.engine.tensor import KerasTensor
from nb3d.layers import serialize
from nb3d.models.arguments import Reference, encode


class Numbering:
    """The nodes of a model's layers, numbered as files have them: from 0, from 1 for a nested network.

    A nested network begins at 1 because its node 0 leads from its own inputs to its outputs.

    Args:
        model: The model.
        first_of_network: Number of the first call of a nested network; Keras 3 has 0 between layers.
    """

    def __init__(self, model: Network, first_of_network: int = 1) -> None:
        self._numbers: dict[int, int] = {}
        own = {id(node) for node in model.nodes}
        for operation in model.operations:
            number = first_of_network if isinstance(operation, Network) else 0
            for node in operation._inbound_nodes:
                if id(node) in own:
                    self._numbers[id(node)] = number
                    number += 1

    def nodes_of(self, operation: Any) -> list[Node]:
        """The calls of a layer that belong to the model, in order."""
        return [node for node in operation._inbound_nodes if id(node) in self._numbers and not node.is_input]

    def reference(self, tensor: KerasTensor) -> Reference:
        """``[layer, node, tensor]`` of a tensor.

        Raises:
            ValueError: If it does not belong to the model: it was computed from Variables alone.
        """
        history = getattr(tensor, "_keras_history", None)
        node = history.operation._inbound_nodes[history.node_index] if history else None
        if history is None or id(node) not in self._numbers:
            raise ValueError(f"{tensor!r} is an argument of a call, but no layer made it: it cannot be configured.")
        return [history.operation.name, self._numbers[id(node)], history.tensor_index]


def describe(model: Network) -> dict[str, Any]:
    """``{'name', 'layers', 'input_layers', 'output_layers'}``, with references as ``[layer, node, tensor]``."""
    numbering = Numbering(model)
    with sharing.writing(model):
        layers = [_entry(operation, numbering) for operation in model.operations]
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": map_structure(numbering.reference, _listed(model.inputs, model._input_structure)),
        "output_layers": map_structure(numbering.reference, _listed(model.outputs, model._output_structure)),
    }


def _listed(flat: list[KerasTensor], structure: Any) -> Any:
    return structure if isinstance(structure, dict) else flat


def _entry(operation: Any, numbering: Numbering) -> dict[str, Any]:
    if isinstance(operation, Operation):
        made = {"class_name": operation.class_name, "config": operation.get_config()}
    else:
        made = serialize(operation)
    nodes = [_node(node, numbering) for node in numbering.nodes_of(operation)]
    return {"name": operation.name, **made, "inbound_nodes": nodes}


def _node(node: Node, numbering: Numbering) -> Any:
    """Keras 1's form where it suffices, a list of ``[layer, node, tensor, kwargs]``; else Keras 3's args and kwargs."""
    kwargs = storable_kwargs(node, numbering)
    first, *others = node.call_args
    tensors = list(first) if isinstance(first, list | tuple) else [first]
    plain = not others and all(isinstance(tensor, KerasTensor) for tensor in tensors)
    if plain and not symbolic_leaves(node.arguments):
        return [[*numbering.reference(tensor), kwargs] for tensor in tensors]
    return {"args": encode(node.call_args, numbering.reference), "kwargs": kwargs}


def storable_kwargs(node: Node, numbering: Numbering) -> dict[str, Any]:
    """Keyword arguments of a call as JSON; those that JSON cannot hold are left out with a warning."""
    kwargs = {}
    for key, value in node.arguments.items():
        try:
            kwargs[key] = encode(value, numbering.reference)
        except TypeError as error:
            warnings.warn(
                f"Layer {node.outbound_layer.name!r} was called with the argument {key!r}, which is left out of the "
                f"configuration: {error}.",
                stacklevel=2,
            )
    return kwargs
