"""Normalizations: with given statistics, with those of the values themselves; softmax, its logarithm, sparsemax."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.divisors import Divisor
from nb3d.kernels.reference.activations import activate
from nb3d.kernels.reference.family import serve, wide, write


def batch_normalization(
    x: np.ndarray, mean: np.ndarray, variance: np.ndarray, offset: np.ndarray, scale: np.ndarray,
    out: np.ndarray, scratch: np.ndarray, epsilon: float, axis: int, activation: int, alpha: float, beta: float,
) -> None:  # fmt: skip
    """``activation((x - mean) / sqrt(variance + epsilon) * scale + offset)``, along one axis."""
    along = [1] * x.ndim
    along[axis] = x.shape[axis]
    with np.errstate(all="ignore"):
        result = (wide(x) - wide(mean).reshape(along)) / np.sqrt(wide(variance).reshape(along) + epsilon)
        if scale.size:
            result = result * wide(scale).reshape(along)
        if offset.size:
            result = result + wide(offset).reshape(along)
    write(activate(result, activation, alpha, beta), out)


def normalization(
    x: np.ndarray, offset: np.ndarray, scale: np.ndarray, out: np.ndarray, scratch: np.ndarray,
    first: int, groups: int, epsilon: float, centered: int, divisor: int, activation: int, alpha: float, beta: float,
) -> None:  # fmt: skip
    """Statistics over the axes from ``first`` on, those of each of ``groups`` groups of neighbouring channels apart."""
    values = wide(x).reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
    axes = (*range(first, x.ndim - 1), x.ndim)
    with np.errstate(all="ignore"):
        if centered:
            values = values - values.mean(axes, keepdims=True)
        squares = np.square(values)
        variance = squares.mean(axes, keepdims=True)
        if divisor == Divisor.ROOT:
            values = values / np.sqrt(variance + epsilon)
        elif divisor == Divisor.DEVIATION:
            values = values / (np.sqrt(variance) + epsilon)
        else:
            values = values / np.maximum(np.sqrt(squares.sum(axes, keepdims=True)), epsilon)
        result = values.reshape(x.shape)
        if scale.size:
            result = result * wide(scale)
        if offset.size:
            result = result + wide(offset)
    write(activate(result, activation, alpha, beta), out)


def softmax(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, axis: int) -> None:
    """``exp(x)`` divided by its sum along ``axis``."""
    values = wide(x)
    with np.errstate(all="ignore"):
        e = np.exp(values - values.max(axis=axis, keepdims=True))
        write(e / e.sum(axis=axis, keepdims=True), out)


def log_softmax(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, axis: int) -> None:
    """The logarithm of ``softmax``, also where that underflows."""
    values = wide(x)
    with np.errstate(all="ignore"):
        shifted = values - values.max(axis=axis, keepdims=True)
        write(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)), out)


def sparsemax(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, axis: int) -> None:
    """``max(x - t, 0)`` with the threshold of Keras 3.

    Martins and Astudillo subtract the last of the sums of the largest values, so that results sum to 1; Keras the sum
    of those sums. Networks were trained with that.
    """
    values = np.moveaxis(wide(x), axis, -1)
    with np.errstate(all="ignore"):
        falling = -np.sort(-values, axis=-1)
        sums, count = falling.cumsum(axis=-1), np.arange(1, values.shape[-1] + 1)
        support = falling - (sums - 1) / count > 0
        threshold = (np.where(support, sums, 0).sum(axis=-1) - 1) / support.sum(axis=-1)
        write(np.moveaxis(np.maximum(values - threshold[..., None], 0), -1, axis), out)


KERNELS: dict[str, Kernel] = {
    "batch_normalization": batch_normalization,
    "normalization": normalization,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "sparsemax": sparsemax,
}

accepts, load = serve(KERNELS)
