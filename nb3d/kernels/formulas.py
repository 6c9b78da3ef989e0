"""The activations as formulas of one value, compiled by every device into its own kernels. Loads no Numba.

Formulas have no branches (selections only): loops over them become vectors. Comparisons are written so that NaN comes
out as NaN. Numbers are made of the type of ``x``, by ``type(x)(1.0)``: a bare ``1.0`` would turn ``float32`` into
``float64``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nb3d.kernels.activations import Activation

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
GELU_TANH = math.sqrt(2.0 / math.pi)
ROOT_HALF = math.sqrt(0.5)

Function = Callable[..., Any]


def formulas(
    helper: Callable[[Function], Function], exp: Function, expm1: Function, log1p: Function, tanh: Function,
    erf: Function,
) -> dict[Activation, Function]:  # fmt: skip
    """Returns a function of ``x, alpha, beta`` for every activation.

    Args:
        helper: Marks a function that is compiled into whoever calls it.
        exp: The device's exponential.
        expm1: Its exponential minus one, exact also near zero.
        log1p: Its logarithm of 1 + x, asked from 0 to 1 only.
        tanh: Its hyperbolic tangent.
        erf: Its error function.
    """

    @helper
    def sigmoid(x):
        one = type(x)(1.0)
        e = exp(-abs(x))
        return (e if x < type(x)(0.0) else one) / (one + e)

    @helper
    def softplus(x):
        zero = type(x)(0.0)
        return (zero if x < zero else x) + log1p(exp(-abs(x)))

    @helper
    def clip(x, low, high):
        x = low if x < low else x
        return high if x > high else x

    def _relu(x, a, b):
        zero = type(x)(0.0)
        below = a * x if a != zero else (zero if x < zero else x)  # without a slope -inf gives zero, NaN stays
        y = x if x > zero else below
        return b if y > b and x > zero else y

    def _elu(x, a, b):
        return x if x > type(x)(0.0) else a * expm1(x)

    def _selu(x, a, b):
        return type(x)(SELU_SCALE) * (x if x > type(x)(0.0) else type(x)(SELU_ALPHA) * expm1(x))

    def _celu(x, a, b):
        return x if x > type(x)(0.0) else a * expm1(x / a)

    def _softsign(x, a, b):
        return x / (type(x)(1.0) + abs(x))

    def _hard_sigmoid(x, a, b):
        return clip(a * x + b, type(x)(0.0), type(x)(1.0))

    def _hard_silu(x, a, b):
        return x * clip(x / type(x)(6.0) + type(x)(0.5), type(x)(0.0), type(x)(1.0))

    def _gelu(x, a, b):
        one = type(x)(1.0)
        exact = erf(x * type(x)(ROOT_HALF))
        close = tanh(type(x)(GELU_TANH) * (x + type(x)(0.044715) * x * x * x))
        return type(x)(0.5) * x * (one + (exact if a == type(x)(0.0) else close))

    def _mish(x, a, b):
        return x * tanh(softplus(x))

    def _hard_tanh(x, a, b):
        return clip(x, type(x)(-1.0), type(x)(1.0))

    def _hard_shrink(x, a, b):
        return type(x)(0.0) if abs(x) <= a else x

    def _soft_shrink(x, a, b):
        zero = type(x)(0.0)
        size = abs(x) - a
        size = zero if size < zero else size
        return size if x > zero else -size

    def _threshold(x, a, b):
        return b if x <= a else x

    def _squareplus(x, a, b):
        half, root = type(x)(0.5), math.sqrt(x * x + a)
        root = abs(x) if root == type(x)(math.inf) else root  # the square may overflow
        return half * a / (root - x) if x < type(x)(0.0) else half * (x + root)  # and the sum may cancel

    def _sparse_plus(x, a, b):
        one = type(x)(1.0)
        y = type(x)(0.25) * (x + one) * (x + one)
        y = type(x)(0.0) if x <= -one else y
        return x if x >= one else y

    def _sparse_sigmoid(x, a, b):
        return clip(type(x)(0.5) * (x + type(x)(1.0)), type(x)(0.0), type(x)(1.0))

    return {
        Activation.LINEAR: lambda x, a, b: x,
        Activation.RELU: _relu,
        Activation.ELU: _elu,
        Activation.SELU: _selu,
        Activation.CELU: _celu,
        Activation.SIGMOID: lambda x, a, b: sigmoid(x),
        Activation.TANH: lambda x, a, b: tanh(x),
        Activation.SOFTPLUS: lambda x, a, b: softplus(x),
        Activation.SOFTSIGN: _softsign,
        Activation.EXPONENTIAL: lambda x, a, b: exp(x),
        Activation.HARD_SIGMOID: _hard_sigmoid,
        Activation.SILU: lambda x, a, b: x * sigmoid(x),
        Activation.HARD_SILU: _hard_silu,
        Activation.GELU: _gelu,
        Activation.MISH: _mish,
        Activation.LOG_SIGMOID: lambda x, a, b: -softplus(-x),
        Activation.HARD_TANH: _hard_tanh,
        Activation.HARD_SHRINK: _hard_shrink,
        Activation.SOFT_SHRINK: _soft_shrink,
        Activation.TANH_SHRINK: lambda x, a, b: x - tanh(x),
        Activation.THRESHOLD: _threshold,
        Activation.SQUAREPLUS: _squareplus,
        Activation.SPARSE_PLUS: _sparse_plus,
        Activation.SPARSE_SIGMOID: _sparse_sigmoid,
    }
