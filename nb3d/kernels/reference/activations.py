"""Elementwise activations, each a function of ``x`` and its two numbers ``alpha`` and ``beta``."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.family import serve, wide, write

Array = np.ndarray

erf: Callable[[Array], Array] = np.vectorize(math.erf, otypes=[np.float64])

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
GELU_TANH = math.sqrt(2.0 / math.pi)


def sigmoid(x: Array) -> Array:
    """``1 / (1 + exp(-x))`` without overflow on either side."""
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, e) / (1.0 + e))


def softplus(x: Array) -> Array:
    """``log(1 + exp(x))`` without overflow."""
    return np.asarray(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))


def relu(x: Array, slope: float, top: float) -> Array:
    """``min(x, top)`` where positive, ``slope * x`` elsewhere; without a slope minus infinity gives zero, not NaN."""
    return np.where(x > 0, np.minimum(x, top), slope * x) if slope else np.minimum(np.maximum(x, 0), top)


def gelu(x: Array, approximate: float, _: float) -> Array:
    """``x`` times the normal distribution up to ``x``, exact or by its ``tanh`` approximation."""
    if approximate:
        return 0.5 * x * (1.0 + np.tanh(GELU_TANH * (x + 0.044715 * x**3)))
    return 0.5 * x * (1.0 + erf(x / math.sqrt(2.0)))


def squareplus(x: Array, b: float, _: float) -> Array:
    """``(x + sqrt(x**2 + b)) / 2``; below zero as a fraction, where the sum would cancel."""
    root = np.sqrt(x * x + b)
    return np.asarray(np.where(x < 0, 0.5 * b / (root - x), 0.5 * (x + root)))


def sparse_plus(x: Array, alpha: float, beta: float) -> Array:
    """Zero, then a parabola between -1 and 1, then the identity."""
    return np.where(x <= -1, 0.0, np.where(x < 1, 0.25 * (x + 1.0) ** 2, x))


FORMULAS: dict[Activation, Callable[[Array, float, float], Array]] = {
    Activation.LINEAR: lambda x, a, b: x,
    Activation.RELU: relu,
    Activation.ELU: lambda x, a, b: np.where(x > 0, x, a * np.expm1(x)),
    Activation.SELU: lambda x, a, b: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(x)),
    Activation.CELU: lambda x, a, b: np.where(x > 0, x, a * np.expm1(x / a)),
    Activation.SIGMOID: lambda x, a, b: sigmoid(x),
    Activation.TANH: lambda x, a, b: np.tanh(x),
    Activation.SOFTPLUS: lambda x, a, b: softplus(x),
    Activation.SOFTSIGN: lambda x, a, b: x / (1.0 + np.abs(x)),
    Activation.EXPONENTIAL: lambda x, a, b: np.exp(x),
    Activation.HARD_SIGMOID: lambda x, a, b: np.clip(a * x + b, 0.0, 1.0),
    Activation.SILU: lambda x, a, b: x * sigmoid(x),
    Activation.HARD_SILU: lambda x, a, b: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    Activation.GELU: gelu,
    Activation.MISH: lambda x, a, b: x * np.tanh(softplus(x)),
    Activation.LOG_SIGMOID: lambda x, a, b: -softplus(-x),
    Activation.HARD_TANH: lambda x, a, b: np.clip(x, -1.0, 1.0),
    Activation.HARD_SHRINK: lambda x, a, b: np.where(np.abs(x) <= a, 0.0, x),
    Activation.SOFT_SHRINK: lambda x, a, b: np.sign(x) * np.maximum(np.abs(x) - a, 0.0),
    Activation.TANH_SHRINK: lambda x, a, b: x - np.tanh(x),
    Activation.THRESHOLD: lambda x, a, b: np.where(x <= a, b, x),
    Activation.SQUAREPLUS: squareplus,
    Activation.SPARSE_PLUS: sparse_plus,
    Activation.SPARSE_SIGMOID: lambda x, a, b: np.clip(0.5 * (x + 1.0), 0.0, 1.0),
}


def activate(x: Array, code: int, alpha: float, beta: float) -> Array:
    """Returns the activation with number ``code`` of ``x``, in the precision of ``x``; NaN stays NaN."""
    with np.errstate(all="ignore"):
        return FORMULAS[Activation(code)](x, alpha, beta)


def _kernel(code: Activation) -> Kernel:
    def kernel(x: Array, out: Array, scratch: Array, alpha: float, beta: float) -> None:
        write(activate(wide(x), code, alpha, beta), out)

    return kernel


def prelu(x: Array, slope: Array, out: Array, scratch: Array) -> None:
    """``x`` where positive, ``slope * x`` elsewhere; ``slope`` is broadcast over the leading axes."""
    values = wide(x)
    write(np.where(values > 0, values, wide(slope) * values), out)


KERNELS: dict[str, Kernel] = {code.name.lower(): _kernel(code) for code in Activation} | {"prelu": prelu}

accepts, load = serve(KERNELS)
