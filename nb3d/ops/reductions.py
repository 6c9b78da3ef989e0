"""Sums, means, extremes and the like over axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply, as_dtype
from nb3d.ops.dtypes import float_dtype
from nb3d.ops.operation import OPERATIONS, operation
from nb3d.ops.shapes import normalize_axes, normalize_axis
from nb3d.ops.shaping import reshape


def _reduced(x: TensorSpec, axis: Any, keepdims: bool) -> tuple[int | None, ...]:
    axes = normalize_axes(axis, len(x.shape))
    if keepdims:
        return tuple(1 if i in axes else size for i, size in enumerate(x.shape))
    return tuple(size for i, size in enumerate(x.shape) if i not in axes)


def _axes(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return (normalize_axes(attrs["axis"], len(inputs[0].shape)),)


def _reduction(name: str, class_name: str, doc: str, dtype: Callable[[str], str] = lambda dtype: dtype) -> Any:
    def spec(x: TensorSpec, axis: Any, keepdims: bool) -> TensorSpec:
        return TensorSpec(_reduced(x, axis, keepdims), dtype(x.dtype))

    op = Op(name, spec, _axes)

    def function(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if dtype is float_dtype:
            x = as_dtype(x, float_dtype(str(getattr(x, "dtype", "float32"))))
        axes = tuple(axis) if isinstance(axis, list | tuple) else axis
        return apply(op, x, axis=axes, keepdims=bool(keepdims))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{doc}

    Args:
        x: Tensor or array.
        axis: An axis, several, or ``None`` for all.
        keepdims: Whether the axes stay, with size 1.
    """
    return operation(class_name)(function)


def _sum_dtype(dtype: str) -> str:
    return "int32" if dtype == "bool" else dtype


sum = _reduction("sum", "Sum", "The sum over axes, accumulated in float64.", _sum_dtype)
prod = _reduction("prod", "Prod", "The product over axes.", _sum_dtype)
mean = _reduction("mean", "Mean", "The mean over axes, accumulated in float64.", float_dtype)
variance = _reduction("variance", "Var", "The mean squared distance from the mean, over axes.", float_dtype)
var = variance
max = _reduction("max", "Max", "The largest value over axes; NaN where one is NaN.")
min = _reduction("min", "Min", "The smallest value over axes; NaN where one is NaN.")
amax, amin = max, min
OPERATIONS.update({"Amax": max, "Amin": min})  # Keras has both names
any = _reduction("any", "Any", "Whether one value over axes is true.", lambda dtype: "bool")
all = _reduction("all", "All", "Whether all values over axes are true.", lambda dtype: "bool")


def _position_spec(x: TensorSpec, axis: int, keepdims: bool) -> TensorSpec:
    return TensorSpec(_reduced(x, axis, keepdims), "int32")


def _position_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return (normalize_axis(attrs["axis"], len(inputs[0].shape)),)


ARGMAX = Op("argmax", _position_spec, _position_params)
ARGMIN = Op("argmin", _position_spec, _position_params)


def _position(op: Op, x: Any, axis: int | None, keepdims: bool) -> Any:
    if axis is not None:
        return apply(op, x, axis=axis, keepdims=bool(keepdims))
    place = apply(op, reshape(x, (-1,)), axis=0, keepdims=False)
    return reshape(place, (1,) * len(x.shape)) if keepdims else place


@operation("Argmax")
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where along `axis`, or among all values, the largest one is (the first of equals)."""
    return _position(ARGMAX, x, axis, keepdims)


@operation("Argmin")
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where along `axis`, or among all values, the smallest one is (the first of equals)."""
    return _position(ARGMIN, x, axis, keepdims)
