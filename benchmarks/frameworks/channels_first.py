"""A network's numbers in the layout of PyTorch and ONNX: channels before depth, height and width."""

from __future__ import annotations

import numpy as np

from benchmarks.networks import Array, Network, Shape, Step


def volume(network: Network) -> Array:
    """The input, ``(batch, channels, depth, height, width)``."""
    return np.ascontiguousarray(np.moveaxis(network.volume(), -1, 1))


def channels_last(result: Array) -> Array:
    """A result in nb3d's layout; vectors stay as they are."""
    return np.ascontiguousarray(np.moveaxis(result, 1, -1))


def weights(network: Network) -> dict[str, list[Array]]:
    """The weights of every step.

    Kernels become ``(out, in, kd, kh, kw)``, those of transposed convolutions ``(in, out, kd, kh, kw)``; those of dense
    layers ``(out, in)``, with the values of a flattened volume in the order that channels first have.
    """
    drawn, shapes = network.weights(), network.shapes()
    for step in network.steps:
        if step.op in {"conv", "up", "dense"}:
            drawn[step.name][0] = np.ascontiguousarray(_kernel(step, drawn[step.name][0], shapes[step.inputs[0]]))
    return drawn


def _kernel(step: Step, kernel: Array, source: Shape) -> Array:
    if step.op != "dense":
        return kernel.transpose(4, 3, 0, 1, 2)
    return np.moveaxis(kernel.reshape(*source[1:], -1), -2, 0).reshape(kernel.shape).T
