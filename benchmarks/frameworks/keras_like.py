"""Builds a network with Keras' functional API, be it Keras itself or nb3d: the code is the same."""

from __future__ import annotations

from typing import Any

from benchmarks.networks import INPUT, Network, Step


def build(keras: Any, network: Network) -> Any:
    """Builds a model, with its weights.

    Args:
        keras: The module `keras`, or `nb3d`.
        network: What to build.
    """
    x = keras.Input(network.shape[1:], batch_size=network.shape[0])
    tensors = {INPUT: x}
    weights = network.weights()
    for step in network.steps:
        inputs = [tensors[name] for name in step.inputs]
        layer = _layer(keras.layers, step)
        tensors[step.name] = layer(inputs if step.op == "concat" else inputs[0])
        if step.name in weights:
            layer.set_weights(weights[step.name])
    return keras.Model(x, tensors[network.steps[-1].name])


def _layer(layers: Any, step: Step) -> Any:
    match step.op:
        case "conv":
            return layers.Conv3D(
                step.filters, step.kernel, strides=step.strides, padding=step.padding, dilation_rate=step.dilation,
                groups=step.groups, use_bias=step.bias,
            )  # fmt: skip
        case "up":
            return layers.Conv3DTranspose(step.filters, 2, strides=2)
        case "norm":
            return layers.BatchNormalization()
        case "relu" | "sigmoid":
            return layers.Activation(step.op)
        case "pool":
            return layers.MaxPooling3D(2)
        case "concat":
            return layers.Concatenate()
    raise ValueError(f"Unknown step {step.op!r}.")
