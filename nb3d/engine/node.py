"""The upper level of the graph: one node per call of a layer on symbolic tensors."""

from __future__ import annotations

from typing import Any

from nb3d.engine.structure import leaves
from nb3d.engine.tensor import Dims, KerasHistory, KerasTensor

Inside = list[tuple[str, list[KerasTensor]]]


class Node:
    """One call of a layer: which tensors went in, which came out.

    A layer that is called twice has two nodes; layers hold weights, nodes hold connections.

    Args:
        operation: The layer (or operation) that was called.
        inputs: The tensors it was called on, flat, each with a history.
        outputs: The tensors it returned, flat; they get their history here.
        call_args: The positional arguments of the call as the user gave them.
        arguments: The keyword arguments of the call as the user gave them.
        connected: False for the node with which a graph begins (an `InputLayer`'s, and the one that a Model is born
            with, from its inputs to its outputs): it has no inbound layers.

    Attributes:
        outbound_layer: The layer that was called.
        inbound_layers: The layers that the inputs come from, one per input.
        node_indices: Which call of that layer each input comes from.
        tensor_indices: Which output of that call each input is.
        input_tensors, output_tensors, input_shapes, output_shapes, input_masks, output_masks: Lists, always.
        dependencies: The inputs, and the tensors among the keyword arguments: what has to be there before the call.
        arguments: Keyword arguments of the call.
        inside: Of the call of a network: its layers at any depth, as ``network/layer``, with what they returned.
    """

    def __init__(
        self,
        operation: Any,
        inputs: list[KerasTensor],
        outputs: list[KerasTensor],
        call_args: tuple[Any, ...] = (),
        arguments: dict[str, Any] | None = None,
        connected: bool = True,
    ) -> None:
        self.outbound_layer = operation
        self.input_tensors = inputs
        self.output_tensors = outputs
        self.call_args = call_args
        self.arguments = dict(arguments or {})
        self.inside: Inside = []
        histories = [tensor._keras_history for tensor in inputs] if connected else []
        self.inbound_layers = [history.operation for history in histories]
        self.node_indices = [history.node_index for history in histories]
        self.tensor_indices = [history.tensor_index for history in histories]
        keywords = [tensor for tensor in symbolic_leaves(self.arguments) if tensor not in inputs] if connected else []
        self.dependencies = [*inputs, *keywords]
        self.input_masks = [tensor._keras_mask for tensor in inputs]
        self.output_masks = [tensor._keras_mask for tensor in outputs]
        index = len(operation._inbound_nodes)
        for position, tensor in enumerate(outputs):
            if not hasattr(tensor, "_keras_history"):
                tensor._keras_history = KerasHistory(operation, index, position)
        for layer in self.inbound_layers:
            layer._outbound_nodes.append(self)
        operation._inbound_nodes.append(self)

    @property
    def input_shapes(self) -> list[Dims]:
        """Shapes of the inputs."""
        return [tensor.shape for tensor in self.input_tensors]

    @property
    def output_shapes(self) -> list[Dims]:
        """Shapes of the outputs."""
        return [tensor.shape for tensor in self.output_tensors]

    @property
    def is_input(self) -> bool:
        """Whether the node is where a graph begins."""
        return not self.inbound_layers

    def sources(self) -> list[Node]:
        """The nodes that the dependencies come from."""
        histories = [tensor._keras_history for tensor in self.dependencies] if self.inbound_layers else []
        return [history.operation._inbound_nodes[history.node_index] for history in histories]

    def get_config(self) -> dict[str, Any]:
        """Names and indices of what the node connects."""
        return {
            "outbound_layer": self.outbound_layer.name,
            "inbound_layers": [layer.name for layer in self.inbound_layers],
            "node_indices": list(self.node_indices),
            "tensor_indices": list(self.tensor_indices),
        }


def symbolic_leaves(*structures: Any) -> list[KerasTensor]:
    """Every symbolic tensor in the structures, in order."""
    return [leaf for leaf in leaves(structures) if isinstance(leaf, KerasTensor)]
