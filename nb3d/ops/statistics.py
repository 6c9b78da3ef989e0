"""Reductions made of others, running sums, norms."""

from __future__ import annotations

import math
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.settings import SETTINGS
from nb3d.engine.tensor import TensorSpec
from nb3d.ops import reductions
from nb3d.ops.apply import apply
from nb3d.ops.elementwise import absolute, cast, divide, exp, isfinite, log, maximum, not_equal, power, sqrt, where
from nb3d.ops.normalization import unit_normalization
from nb3d.ops.operation import operation
from nb3d.ops.rearranging import ravel
from nb3d.ops.shapes import normalize_axes, normalize_axis
from nb3d.ops.shaping import squeeze


@operation("Std")
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The standard deviation over axes."""
    return sqrt(reductions.variance(x, axis, keepdims))


@operation("Ptp")
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest value minus the smallest, over axes."""
    return reductions.max(x, axis, keepdims) - reductions.min(x, axis, keepdims)


@operation("CountNonzero")
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """How many values are not 0, over axes."""
    return reductions.sum(cast(not_equal(x, 0), "int32"), axis)


@operation("Logsumexp")
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` over axes, without overflow."""
    axes = normalize_axes(axis, len(x.shape))
    largest = reductions.max(x, axes, keepdims=True)
    largest = where(isfinite(largest), largest, 0.0)
    result = log(reductions.sum(exp(x - largest), axes, keepdims=True)) + largest
    return result if keepdims else squeeze(result, axes)


@operation("Norm")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors along one axis: Euclidean where `ord` is absent or 2, else ``sum(|x|**ord)**(1/ord)``.

    Args:
        x: Tensor or array.
        ord: A number, ``math.inf`` (the largest absolute value), or ``None``.
        axis: The axis; without `ord` several, or all where absent.
        keepdims: Whether the axes stay, with size 1.

    Raises:
        ValueError: If a norm of matrices is asked for.
    """
    axes = normalize_axes(axis, len(x.shape))
    if ord in (None, 2, "fro") and (ord is None or len(axes) == 1):
        return sqrt(reductions.sum(x * x, axes, keepdims))
    if len(axes) != 1 or isinstance(ord, str):
        raise ValueError(f"norm: norms of matrices are not supported, got ord={ord!r} over axes {axes}")
    if ord == math.inf:
        return reductions.max(absolute(x), axes, keepdims)
    if ord == 0:
        return reductions.sum(cast(not_equal(x, 0), str(x.dtype)), axes, keepdims)
    return power(reductions.sum(power(absolute(x), float(ord)), axes, keepdims), 1.0 / float(ord))


@operation("Normalize")
def normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Any:
    """`x` divided by its norm along `axis`, or by `epsilon` where that is larger; see `norm` for `order`.

    Example:
        >>> import numpy as np
        >>> from nb3d import ops
        >>> ops.normalize(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]])

    Source: https://keras.io/api/ops/nn/#normalize-function
    """
    least = SETTINGS.epsilon() if epsilon is None else epsilon
    if order == 2:
        return unit_normalization(x, axis, least)
    return divide(x, maximum(norm(x, order, axis, keepdims=True), least))


@operation("Moments")
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Any, Any]:
    """Mean and variance over `axes`; there is one device, so that `synchronized` has no effect."""
    return reductions.mean(x, axes, keepdims), reductions.variance(x, axes, keepdims)


def _same(x: TensorSpec, axis: int) -> TensorSpec:
    normalize_axis(axis, len(x.shape))
    return TensorSpec(x.shape, "int32" if x.dtype == "bool" else x.dtype)


def _axis(inputs: Specs, out: TensorSpec, attrs: Any) -> tuple[int]:
    return (normalize_axis(attrs["axis"], len(inputs[0].shape)),)


CUMSUM = Op("cumsum", _same, _axis)
CUMPROD = Op("cumprod", _same, _axis)


def _running(op: Op, x: Any, axis: int | None, dtype: Any) -> Any:
    x, axis = (ravel(x), 0) if axis is None else (x, axis)
    return apply(op, x if dtype is None else cast(x, dtype), axis=axis)


@operation("Cumsum")
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The sum of every value and those before it along `axis`, of all values where it is absent."""
    return _running(CUMSUM, x, axis, dtype)


@operation("Cumprod")
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The product of every value and those before it along `axis`, of all values where it is absent."""
    return _running(CUMPROD, x, axis, dtype)
