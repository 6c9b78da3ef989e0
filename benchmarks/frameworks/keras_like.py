"""Builds a network with Keras' functional API, be it Keras itself or nb3d: the code is the same."""

from __future__ import annotations

import inspect
from typing import Any

from benchmarks.networks import EPSILON, INPUT, NEGATIVE_SLOPE, Network, Step


def build(keras: Any, network: Network) -> Any:
    """Builds a model, with its weights.

    Args:
        keras: The module `keras`, or `nb3d`.
        network: What to build.

    Raises:
        NotImplementedError: The module has no such layer.
    """
    x = keras.Input(network.shape[1:], batch_size=network.shape[0])
    tensors = {INPUT: x}
    weights = network.weights()
    for step in network.steps:
        inputs = [tensors[name] for name in step.inputs]
        layer = _layer(keras.layers, step)
        tensor: Any = inputs if len(inputs) > 1 else inputs[0]
        if step.op == "conv" and not isinstance(step.padding, str) and any(step.padding):
            tensor = keras.layers.ZeroPadding3D(step.padding)(tensor)
        elif step.op == "dense" and len(tensor.shape) > 2:
            tensor = keras.layers.Flatten()(tensor)
        tensors[step.name] = layer(tensor)
        if step.name in weights:
            layer.set_weights(weights.pop(step.name))
    return keras.Model(x, tensors[network.output])


def _layer(layers: Any, step: Step) -> Any:
    match step.op:
        case "conv":
            return layers.Conv3D(
                step.filters, step.kernel, strides=step.strides, dilation_rate=step.dilation, groups=step.groups,
                padding=step.padding if isinstance(step.padding, str) else "valid", use_bias=step.bias,
            )  # fmt: skip
        case "up":
            return layers.Conv3DTranspose(step.filters, 2, strides=2)
        case "dense":
            return layers.Dense(step.filters)
        case "batch_norm":
            return layers.BatchNormalization(epsilon=EPSILON)
        case "group_norm":
            return _existing(layers, "GroupNormalization", "groups")(step.groups, epsilon=EPSILON)
        case "relu" | "sigmoid" | "softmax":
            return layers.Activation(step.op)
        case "leaky_relu":
            return layers.LeakyReLU(negative_slope=NEGATIVE_SLOPE)
        case "max_pool":
            return layers.MaxPooling3D(step.kernel, strides=step.strides, padding=step.padding)
        case "average_pool":
            return layers.AveragePooling3D(step.kernel, strides=step.strides, padding=step.padding)
        case "global_average":
            return layers.GlobalAveragePooling3D()
        case "nearest":
            return layers.UpSampling3D(2)
        case "linear":
            return _existing(layers, "UpSampling3D", "interpolation")(2, interpolation="trilinear")
        case "concat":
            return layers.Concatenate()
        case "add":
            return layers.Add()
    raise ValueError(f"Unknown step {step.op!r}.")


def _existing(layers: Any, name: str, argument: str) -> Any:
    """A layer that not every module has, or not with this argument."""
    layer = getattr(layers, name, None)
    if layer is None or argument not in inspect.signature(layer).parameters:
        raise NotImplementedError(f"{layers.__name__} has no {name}({argument}=...).")
    return layer
