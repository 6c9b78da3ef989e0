"""Copies of models: the same layers, wired the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nb3d.engine.layer import BaseLayer
from nb3d.engine.operation import Operation
from nb3d.engine.structure import leaves, map_structure
from nb3d.layers import Input, InputLayer
from nb3d.models.model import Model
from nb3d.models.sequential import Sequential


def clone_model(model: Model, clone_function: Callable[[Any], Any] | None = None) -> Model:
    """A model of the same architecture with fresh weights.

    Args:
        model: The model.
        clone_function: Makes the new layer from an old one; by default from its configuration.

    Raises:
        ValueError: If `model` is no model.
    """
    if not isinstance(model, Model):
        raise ValueError(f"clone_model: expected a Model, got {type(model).__name__}.")
    return copied(model, clone_function or _from_config)


def _from_config(layer: BaseLayer) -> Any:
    return clone_model(layer) if isinstance(layer, Model) else type(layer).from_config(layer.get_config())


def copied(model: Model, copy_layer: Callable[[Any], Any]) -> Model:
    """A model whose layers are `copy_layer` of the model's, with the calls replayed on fresh inputs."""
    if isinstance(model, Sequential):
        head = [_copied_input(layer) for layer in model._chain[:1] if isinstance(layer, InputLayer)]
        return type(model)([*head, *map(copy_layer, model.layers)], name=model.name, trainable=model.trainable)
    tensors: dict[int, Any] = {}
    layers: dict[int, Any] = {}
    for tensor in model.inputs:
        layer = tensor._keras_history.operation
        tensors[id(tensor)] = _copied_input(layer)
    for node in model.nodes:
        if node.is_input:
            continue
        old = node.outbound_layer
        if id(old) not in layers:
            layers[id(old)] = _copied_operation(old, copy_layer)
        args, kwargs = map_structure(lambda value: tensors.get(id(value), value), (node.call_args, node.arguments))
        outputs = leaves(layers[id(old)](*args, **kwargs))
        tensors.update((id(tensor), new) for tensor, new in zip(node.output_tensors, outputs, strict=True))
    inputs, outputs = map_structure(
        lambda tensor: tensors[id(tensor)], (model._input_structure, model._output_structure)
    )
    return type(model)(inputs, outputs, name=model.name, trainable=model.trainable)


def _copied_input(layer: InputLayer) -> Any:
    return Input(batch_shape=layer.output_shape, dtype=layer.dtype, name=layer.name)


def _copied_operation(old: Any, copy_layer: Callable[[Any], Any]) -> Any:
    if isinstance(old, Operation):
        return Operation(old.function, old.class_name, old.name)
    return copy_layer(old)
