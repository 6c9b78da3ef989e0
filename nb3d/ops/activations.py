"""Activation functions as operations: elementwise ones, which a kernel's write-out can apply, and softmax."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs, same_spec
from nb3d.engine.tensor import TensorSpec
from nb3d.kernels.activations import Activation
from nb3d.ops import reductions
from nb3d.ops.apply import apply
from nb3d.ops.elementwise import add, divide, exp, multiply, subtract, where
from nb3d.ops.operation import operation
from nb3d.ops.shapes import normalize_axis


def _alpha_beta(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return attrs.get("alpha", 0.0), attrs.get("beta", 0.0)


_OPS = {
    code.name.lower(): Op(code.name.lower(), same_spec, _alpha_beta, elementwise=True)
    for code in Activation
    if code != Activation.LINEAR
}


@operation("Relu")
def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None) -> Any:
    """``min(x, max_value)`` where x > 0, ``negative_slope * x`` elsewhere."""
    top = math.inf if max_value is None else float(max_value)
    return apply(_OPS["relu"], x, alpha=float(negative_slope), beta=top)


@operation("Relu6")
def relu6(x: Any) -> Any:
    """``relu(x)``, at most 6."""
    return relu(x, max_value=6.0)


@operation("LeakyRelu")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where x > 0, ``negative_slope * x`` elsewhere."""
    return relu(x, negative_slope)


@operation("Elu")
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where x > 0, ``alpha * (exp(x) - 1)`` elsewhere."""
    return apply(_OPS["elu"], x, alpha=float(alpha))


@operation("Celu")
def celu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where x > 0, ``alpha * (exp(x / alpha) - 1)`` elsewhere."""
    return apply(_OPS["celu"], x, alpha=float(alpha))


@operation("Selu")
def selu(x: Any) -> Any:
    """The scaled exponential linear unit (Klambauer et al., 2017)."""
    return apply(_OPS["selu"], x)


@operation("Sigmoid")
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    return apply(_OPS["sigmoid"], x)


@operation("Tanh")
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return apply(_OPS["tanh"], x)


@operation("Softplus")
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``."""
    return apply(_OPS["softplus"], x)


@operation("Softsign")
def softsign(x: Any) -> Any:
    """``x / (1 + |x|)``."""
    return apply(_OPS["softsign"], x)


@operation("Exponential")
def exponential(x: Any) -> Any:
    """``exp(x)``, as an activation."""
    return apply(_OPS["exponential"], x)


@operation("HardSigmoid")
def hard_sigmoid(x: Any, slope: float = 1 / 6, shift: float = 0.5) -> Any:
    """``clip(slope * x + shift, 0, 1)``; Keras 2 had slope 0.2."""
    return apply(_OPS["hard_sigmoid"], x, alpha=float(slope), beta=float(shift))


@operation("Silu")
def silu(x: Any) -> Any:
    """``x * sigmoid(x)``, also called swish."""
    return apply(_OPS["silu"], x)


@operation("HardSilu")
def hard_silu(x: Any) -> Any:
    """``x * hard_sigmoid(x)``, also called hard swish."""
    return apply(_OPS["hard_silu"], x)


@operation("Gelu")
def gelu(x: Any, approximate: bool = True) -> Any:
    """``x * Phi(x)`` with the normal distribution's Phi, or its tanh approximation (Hendrycks and Gimpel, 2016)."""
    return apply(_OPS["gelu"], x, alpha=float(bool(approximate)))


@operation("Mish")
def mish(x: Any) -> Any:
    """``x * tanh(softplus(x))``."""
    return apply(_OPS["mish"], x)


@operation("LogSigmoid")
def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x))``."""
    return apply(_OPS["log_sigmoid"], x)


@operation("HardTanh")
def hard_tanh(x: Any) -> Any:
    """`x` limited to [-1, 1]."""
    return apply(_OPS["hard_tanh"], x)


@operation("HardShrink")
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where ``|x| > threshold``, 0 elsewhere."""
    return apply(_OPS["hard_shrink"], x, alpha=float(threshold))


@operation("SoftShrink")
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by `threshold`, 0 where it is nearer."""
    return apply(_OPS["soft_shrink"], x, alpha=float(threshold))


@operation("TanhShrink")
def tanh_shrink(x: Any) -> Any:
    """``x - tanh(x)``."""
    return apply(_OPS["tanh_shrink"], x)


@operation("Threshold")
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where it exceeds `threshold`, `default_value` elsewhere."""
    return apply(_OPS["threshold"], x, alpha=float(threshold), beta=float(default_value))


@operation("Squareplus")
def squareplus(x: Any, b: float = 4.0) -> Any:
    """``(x + sqrt(x**2 + b)) / 2``."""
    return apply(_OPS["squareplus"], x, alpha=float(b))


@operation("SparsePlus")
def sparse_plus(x: Any) -> Any:
    """0 below -1, ``(x + 1)**2 / 4`` up to 1, `x` above."""
    return apply(_OPS["sparse_plus"], x)


@operation("SparseSigmoid")
def sparse_sigmoid(x: Any) -> Any:
    """``(x + 1) / 2`` limited to [0, 1]."""
    return apply(_OPS["sparse_sigmoid"], x)


def thresholded_relu(x: Any, negative_slope: float, max_value: float | None, threshold: float) -> Any:
    """Keras' general ReLU: `x` above `threshold` (at most `max_value`), ``negative_slope * (x - threshold)`` below."""
    if threshold == 0:
        return relu(x, negative_slope, max_value)
    above = relu(x, 0.0, max_value)
    return where(x > threshold, above, multiply(add(x, -threshold), negative_slope))


def _axis_param(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return (normalize_axis(attrs["axis"], len(out.shape)),)


def _softmax_spec(x: TensorSpec, axis: int) -> TensorSpec:
    normalize_axis(axis, len(x.shape))
    return x


SOFTMAX = Op("softmax", _softmax_spec, _axis_param)
LOG_SOFTMAX = Op("log_softmax", _softmax_spec, _axis_param)
SPARSEMAX = Op("sparsemax", _softmax_spec, _axis_param)


@operation("Softmax")
def softmax(x: Any, axis: Any = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, or several."""
    axes = list(axis) if isinstance(axis, list | tuple) else [axis]
    if len(axes) == 1:
        return apply(SOFTMAX, x, axis=axes[0])
    powers = exp(subtract(x, reductions.max(x, axes, keepdims=True)))
    return divide(powers, reductions.sum(powers, axes, keepdims=True))


@operation("LogSoftmax")
def log_softmax(x: Any, axis: int = -1) -> Any:
    """``log(softmax(x))`` along `axis`."""
    return apply(LOG_SOFTMAX, x, axis=axis)


@operation("Sparsemax")
def sparsemax(x: Any, axis: int = -1) -> Any:
    """``max(x - t, 0)`` along `axis`, mostly zeros (Martins and Astudillo, 2016), with the threshold `t` of Keras 3."""
    return apply(SPARSEMAX, x, axis=axis)


@operation("Glu")
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of `x` along `axis`, times the sigmoid of the second half."""
    from nb3d.ops.shaping import split_in_two

    first, second = split_in_two(x, axis)
    return multiply(first, sigmoid(second))


PRELU = Op("prelu", lambda x, slope: x, elementwise=True)


@operation("PRelu")
def prelu(x: Any, slope: Any) -> Any:
    """`x` where x > 0, ``slope * x`` elsewhere; `slope` broadcasts over the leading axes."""
    return apply(PRELU, x, slope)
