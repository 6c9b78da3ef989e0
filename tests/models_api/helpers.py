"""Networks that several tests build, and a reader for both forms of node references in a configuration."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import nb3d
from tests.engine import helpers

layers = nb3d.layers

Reference = tuple[str, int, int]


def count(shape: Sequence[int], start: float = 0.0) -> np.ndarray:
    """An array of float32 whose elements are all different and small."""
    return helpers.count(shape, start) / 10


def names(items: Sequence[Any]) -> list[str]:
    return [item.name for item in items]


def through_json(config: Any) -> Any:
    return json.loads(json.dumps(config))


def rebuilt(model: Any, **kwargs: Any) -> Any:
    """The model that comes back from the JSON text of its configuration, with the same weights."""
    copy = type(model).from_config(through_json(model.get_config()), **kwargs)
    copy.set_weights(model.get_weights())
    return copy


def _references_within(value: Any) -> Iterator[Reference]:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            name, node, tensor = value["config"]["keras_history"]
            yield name, node, tensor
        else:
            for part in value.values():
                yield from _references_within(part)
    elif isinstance(value, list | tuple):
        if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int) and isinstance(value[2], int):
            yield value[0], value[1], value[2]
        else:
            for part in value:
                yield from _references_within(part)


def references(config: Any, layer_name: str) -> list[list[Reference]]:
    """For each node of a layer in the configuration of a model, the (layer, node, tensor) of its inputs.

    Keras 3 writes a node as ``{"args": ..., "kwargs": ...}``, older versions as a list of
    ``[layer, node, tensor, kwargs]``.
    """
    (layer,) = [entry for entry in config["layers"] if entry["name"] == layer_name]
    return [list(_references_within(node)) for node in layer["inbound_nodes"]]


def ends(config: Any, side: str) -> list[Reference]:
    """The ``input_layers`` or ``output_layers`` of a configuration."""
    return list(_references_within(config[side]))


def a_b_a_b() -> tuple[Any, Any, Any, Any]:
    """``A(B(A(B(x))))`` of two shared layers: the tensors x and y, then A and B."""
    x = nb3d.Input((3,), name="x")
    a, b = layers.Dense(3, name="A"), layers.Dense(3, name="B")
    return x, a(b(a(b(x)))), a, b


def two_by_two() -> Any:
    """A model of two inputs and two outputs with a shared layer in the middle."""
    left, right = nb3d.Input((4,), name="left"), nb3d.Input((5,), name="right")
    shared = layers.Dense(3, activation="tanh", name="shared")
    one, two = shared(layers.Dense(6, name="widen_left")(left)), shared(layers.Dense(6, name="widen_right")(right))
    joined = layers.Concatenate(name="joined")([one, two])
    return nb3d.Model([left, right], [layers.Dense(2, name="head")(joined), one], name="two_by_two")


def conv_and_norm() -> Any:
    """A small 3D network, whose weights are not all trainable."""
    x = nb3d.Input((4, 4, 4, 1), name="scan")
    y = layers.Conv3D(2, 3, padding="same", name="conv")(x)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.Activation("relu", name="relu")(y)
    return nb3d.Model(x, layers.Conv3D(1, 1, name="head")(y), name="conv_and_norm")
