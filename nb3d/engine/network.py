"""`Network`: a graph of layers that is itself a layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from nb3d.engine.call_arguments import mask_arguments
from nb3d.engine.layer import BaseLayer
from nb3d.engine.losses import Contribution, needing
from nb3d.engine.node import Inside, Node, symbolic_leaves
from nb3d.engine.structure import leaves, map_structure, to_list, unwrap
from nb3d.engine.tensor import KerasTensor, is_keras_tensor
from nb3d.engine.topology import Topology, check_ends, map_graph
from nb3d.engine.variable import Variable


class Network(BaseLayer):
    """Layers wired from `inputs` to `outputs`.

    It is born with node 0, from its inputs to its outputs. Calling it runs the ``call`` of its layers, so that their
    own nodes do not grow; calling it twice on the same tensors gives the same tensors.

    Args:
        inputs: Tensors made by `nb3d.Input`: one, a list, or a dict.
        outputs: Tensors computed from them: one, a list, or a dict.
        name: Name; made from the class name where absent.
        trainable: Whether training would change the weights.
    """

    numbered_from_one = True  # in every file, references to outputs of a nested network count its calls from 1

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True) -> None:
        super().__init__(name=name, trainable=trainable)
        self._wire(inputs, outputs)

    def _wire(self, inputs: Any, outputs: Any) -> None:
        """Finds the graph between inputs and outputs; nothing changes unless it is sound."""
        flat_inputs, flat_outputs = list(leaves(inputs)), list(leaves(outputs))
        check_ends(flat_inputs, flat_outputs)
        self._topology: Topology = map_graph(flat_inputs, flat_outputs)
        self.inputs: list[KerasTensor] = flat_inputs
        self.outputs: list[KerasTensor] = flat_outputs
        self._input_structure = inputs
        self._output_structure = unwrap(list(outputs)) if isinstance(outputs, list | tuple) else outputs
        self._called: dict[tuple[int, ...], tuple[list[Any], Any, list[Any]]] = {}
        self._last_run: tuple[list[Any], list[Any]] = ([], [])
        self._inside: Inside = []  # of the last run on tensors
        self._remember(flat_inputs, self._output_structure, [tensor._keras_mask for tensor in flat_outputs])
        calls = self._inbound_nodes[1:]
        self._inbound_nodes.clear()
        Node(self, flat_inputs, flat_outputs, connected=False)
        self._inbound_nodes.extend(calls)
        self._claim_scope()
        self.built = True

    @property
    def operations(self) -> list[Any]:
        """Layers and operations of the graph, deepest first."""
        return list(self._topology.operations)

    @property
    def layers(self) -> list[Any]:
        """The layers of the graph, deepest first; operations are in `operations`."""
        return [operation for operation in self._topology.operations if isinstance(operation, BaseLayer)]

    def arrange(self, names: Iterable[str]) -> None:
        """Lists the layers in the order of `names`: files count weights in the order in which they list layers."""
        position = {name: index for index, name in enumerate(names)}
        ordered = sorted(self._topology.operations, key=lambda operation: position.get(operation.name, len(position)))
        self._topology = replace(self._topology, operations=tuple(ordered))

    @property
    def nodes(self) -> list[Node]:
        """The nodes of the graph, each after what it needs."""
        return list(self._topology.nodes)

    @property
    def input_names(self) -> list[str]:
        """Names of the input layers."""
        return [tensor._keras_history.operation.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """Names of the layers that the outputs come from."""
        return [tensor._keras_history.operation.name for tensor in self.outputs]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """A layer, by name or by its index in `layers`.

        Raises:
            ValueError: If there is none, or neither is given.
        """
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"Model {self.name!r} has {len(self.layers)} layers; there is no layer {index}.")
            return self.layers[index]
        if name is None:
            raise ValueError("Provide either a layer name or a layer index.")
        for operation in self.operations:
            if operation.name == name:
                return operation
        raise ValueError(f"No such layer: {name!r}. Existing layers are: {[layer.name for layer in self.layers]}.")

    # -- weights, losses and updates -------------------------------------------------------------------------------

    def _inner_layers(self) -> list[Any]:
        return self.layers

    def _weights_in_file_order(self) -> list[Variable]:
        """Layer by layer, which differs from `weights` as soon as one weight is not trainable."""
        found = (variable for layer in self.layers for variable in layer._weights_in_file_order())
        return list({id(variable): variable for variable in found}.values())

    def _loss_items(self) -> list[Contribution]:
        return self._own(self.all_losses())

    def _update_items(self) -> list[Contribution]:
        return self._own(self.all_updates())

    def _own(self, items: list[Contribution]) -> list[Contribution]:
        """Items that are unconditional, or depend on what this network was called on; each once."""
        ours = (tensor for node in self._inbound_nodes for tensor in node.input_tensors)
        needed = {id(item) for item in needing(items, ours)}
        kept = (item for item in items if not item.conditional or id(item) in needed)
        return list({id(item.value): item for item in kept}.values())

    # -- the call --------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Applies the network; on tensors it was called on before, the same result as then."""
        known = None if args or kwargs else self._called.get(_key(inputs))
        return known[1] if known is not None else super().__call__(inputs, *args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Runs every layer's ``call`` on tensors or arrays."""
        flat = self._flat_inputs(inputs)
        masks = [None] * len(flat) if mask is None else to_list(mask)
        outputs, output_masks = self._run(flat, masks)
        self._last_run = (flat, output_masks)
        return self._structured(outputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks of the outputs for these inputs; arrays carry none."""
        flat = self._flat_inputs(inputs)
        if any(isinstance(value, np.ndarray) for value in flat):
            return unwrap([None] * len(self.outputs))
        known = self._called.get(_key(flat))
        if known is not None:
            return unwrap(known[2])
        inputs, masks = self._last_run
        if _key(inputs) != _key(flat):
            masks = self._run(flat, to_list(mask) if mask is not None else [None] * len(flat))[1]
        return unwrap(masks)

    def _record(self, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any, masks: list[Any]) -> Any:
        outputs = super()._record(args, kwargs, outputs, masks)
        for place, tensors in self._inside:
            for tensor in tensors:
                tensor.place = tensor.place or place
        for tensor in filter(is_keras_tensor, leaves(outputs)):
            self._inbound_nodes[tensor._keras_history.node_index].inside = self._inside
        if not kwargs and len(args) == 1:
            self._remember(list(leaves(args[0])), outputs, [tensor._keras_mask for tensor in leaves(outputs)])
        return outputs

    def _remember(self, inputs: list[Any], outputs: Any, masks: list[Any]) -> None:
        self._called[_key(inputs)] = (inputs, outputs, masks)  # holds the inputs, so their ids stay theirs

    def _flat_inputs(self, inputs: Any) -> list[Any]:
        """The inputs in the order of `self.inputs`; a dict is read by the names of the input layers."""
        if isinstance(inputs, dict):
            keys = list(self._input_structure) if isinstance(self._input_structure, dict) else self.input_names
            missing = [key for key in keys if key not in inputs]
            if missing:
                raise ValueError(f"Model {self.name!r}: inputs {missing} are missing; got {list(inputs)}.")
            flat = [inputs[key] for key in keys]
        else:
            flat = list(leaves(inputs))
        if len(flat) != len(self.inputs):
            raise ValueError(
                f"Model {self.name!r} expects {len(self.inputs)} inputs ({', '.join(self.input_names)}), "
                f"but it received {len(flat)}."
            )
        for name, tensor, value in zip(self.input_names, self.inputs, flat, strict=True):
            shape = tuple(value.shape)
            fits = len(shape) == len(tensor.shape) and all(
                None in (want, got) or want == got for want, got in zip(tensor.shape[1:], shape[1:], strict=True)
            )
            if not fits:
                raise ValueError(
                    f"Model {self.name!r}: input {name!r} expects shape {tensor.shape}, but it received {shape}."
                )
        return flat

    def _structured(self, flat: list[Any]) -> Any:
        """Outputs in the form in which the network was given them."""
        values = iter(flat)
        return map_structure(lambda _: next(values), self._output_structure)

    def _run(self, inputs: list[Any], masks: list[Any]) -> tuple[list[Any], list[Any]]:
        """Values and masks of the outputs; a value is dropped after its last use."""
        values = {id(tensor): value for tensor, value in zip(self.inputs, inputs, strict=True)}
        found_masks = {id(tensor): mask for tensor, mask in zip(self.inputs, masks, strict=False)}
        left = dict(self._topology.uses)
        self._inside = []
        for node in self._topology.nodes:
            if not node.is_input:
                self._run_node(node, values, found_masks)
            for tensor in node.dependencies if not node.is_input else ():
                left[id(tensor)] -= 1
                if not left[id(tensor)]:
                    values.pop(id(tensor), None)
        return [values[id(t)] for t in self.outputs], [found_masks.get(id(t)) for t in self.outputs]

    def _run_node(self, node: Node, values: dict[int, Any], masks: dict[int, Any]) -> None:
        layer = node.outbound_layer
        args, kwargs = (
            map_structure(lambda value: values.get(id(value), value), structure)
            for structure in (node.call_args, node.arguments)
        )
        first = [masks.get(id(tensor)) for tensor in leaves(node.call_args[:1])]
        named = mask_arguments(
            type(layer).call, node.call_args, node.arguments, lambda tensor: masks.get(id(tensor))
        ) if isinstance(layer, BaseLayer) else {}  # fmt: skip
        outputs = layer.run_call(args, {**kwargs, **named}, first)
        flat = list(leaves(outputs))
        if isinstance(layer, BaseLayer) and layer.ends_masks(first):
            first = [None] * len(first)
        mask = layer.compute_mask(args[0], first if isinstance(args[0], list | tuple) else unwrap(first))
        flat_masks = to_list(mask) if isinstance(mask, list | tuple) else [mask] * len(flat)
        if isinstance(layer, BaseLayer) and not any(isinstance(value, np.ndarray) for value in flat):
            layer.add_activity_losses(flat, symbolic_leaves(args))
        if isinstance(layer, Network):
            self._inside += [(f"{self.name}/{place}", tensors) for place, tensors in layer._inside]
        if symbolic_leaves(flat):
            self._inside.append((f"{self.name}/{layer.name}", symbolic_leaves(flat)))
        for tensor, value, output_mask in zip(node.output_tensors, flat, flat_masks, strict=True):
            values[id(tensor)], masks[id(tensor)] = value, output_mask

    def _cast(self, value: Any) -> Any:
        return value  # each layer casts for itself


def _key(inputs: Any) -> tuple[int, ...]:
    return tuple(id(value) for value in leaves(inputs))
