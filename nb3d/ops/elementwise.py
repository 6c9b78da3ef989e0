"""Arithmetic, comparison, logic and elementary functions, element by element, with NumPy's broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nb3d.engine.dtypes import dtype_name
from nb3d.engine.opgraph import CAST, Op, Specs, same_spec
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply, as_dtype
from nb3d.ops.dtypes import common_dtype, float_dtype
from nb3d.ops.operation import OPERATIONS, operation
from nb3d.ops.shapes import broadcast


def _broadcast_spec(*inputs: TensorSpec) -> TensorSpec:
    return TensorSpec(broadcast(*(spec.shape for spec in inputs)), inputs[0].dtype)


def _boolean_spec(*inputs: TensorSpec) -> TensorSpec:
    return TensorSpec(broadcast(*(spec.shape for spec in inputs)), "bool")


def _float_spec(*inputs: TensorSpec) -> TensorSpec:
    return TensorSpec(broadcast(*(spec.shape for spec in inputs)), float_dtype(inputs[0].dtype))


def _as_float(value: Any) -> Any:
    dtype = getattr(value, "dtype", None)
    return value if dtype is None or str(dtype).startswith("float") else as_dtype(value, float_dtype(str(dtype)))


def _binary(name: str, class_name: str, doc: str, spec: Callable[..., TensorSpec] = _broadcast_spec) -> Any:
    op = Op(name, spec, elementwise=True)
    floats = spec is _float_spec

    def function(x1: Any, x2: Any) -> Any:
        return apply(op, _as_float(x1), _as_float(x2)) if floats else apply(op, x1, x2)

    return _published(function, name, class_name, doc)


def _unary(name: str, class_name: str, doc: str, spec: Callable[..., TensorSpec] = same_spec) -> Any:
    op = Op(name, spec, elementwise=True)
    floats = spec is _float_spec

    def function(x: Any) -> Any:
        return apply(op, _as_float(x) if floats else x)

    return _published(function, name, class_name, doc)


def _published(function: Callable[..., Any], name: str, class_name: str, doc: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{doc}\n\nElement by element, on arrays and symbolic tensors alike; shapes broadcast."
    return operation(class_name)(function)


ADD = Op("add", _broadcast_spec, elementwise=True)
SUBTRACT = Op("subtract", _broadcast_spec, elementwise=True)

add = _binary("add", "Add", "The sum ``x1 + x2``.")
subtract = _binary("subtract", "Subtract", "The difference ``x1 - x2``.")
multiply = _binary("multiply", "Multiply", "The product ``x1 * x2``.")
divide = _binary("divide", "Divide", "The quotient ``x1 / x2``; integers are made floats first.", _float_spec)
true_divide = divide
OPERATIONS["TrueDivide"] = divide  # what Keras 3 writes for the operator ``/``
floor_divide = _binary("floor_divide", "FloorDivide", "The quotient ``x1 // x2``, rounded down.")
mod = _binary("mod", "Mod", "The remainder ``x1 % x2``, of the sign of `x2`.")
power = _binary("power", "Power", "The power ``x1 ** x2``.")
maximum = _binary("maximum", "Maximum", "The larger of `x1` and `x2`; NaN where one is NaN.")
minimum = _binary("minimum", "Minimum", "The smaller of `x1` and `x2`; NaN where one is NaN.")

equal = _binary("equal", "Equal", "Whether ``x1 == x2``.", _boolean_spec)
not_equal = _binary("not_equal", "NotEqual", "Whether ``x1 != x2``.", _boolean_spec)
less = _binary("less", "Less", "Whether ``x1 < x2``.", _boolean_spec)
less_equal = _binary("less_equal", "LessEqual", "Whether ``x1 <= x2``.", _boolean_spec)
greater = _binary("greater", "Greater", "Whether ``x1 > x2``.", _boolean_spec)
greater_equal = _binary("greater_equal", "GreaterEqual", "Whether ``x1 >= x2``.", _boolean_spec)
logical_and = _binary("logical_and", "LogicalAnd", "Whether both are true.", _boolean_spec)
logical_or = _binary("logical_or", "LogicalOr", "Whether one is true.", _boolean_spec)
logical_not = _unary("logical_not", "LogicalNot", "Whether `x` is false.", _boolean_spec)

absolute = _unary("abs", "Absolute", "The absolute value of `x`.")
abs = absolute
negative = _unary("negative", "Negative", "``-x``.")
sign = _unary("sign", "Sign", "-1, 0 or 1, by the sign of `x`.")
square = _unary("square", "Square", "``x * x``.")
sqrt = _unary("sqrt", "Sqrt", "The square root of `x`.", _float_spec)
rsqrt = _unary("rsqrt", "Rsqrt", "``1 / sqrt(x)``.", _float_spec)
reciprocal = _unary("reciprocal", "Reciprocal", "``1 / x``.", _float_spec)
exp = _unary("exp", "Exp", "The exponential of `x`.", _float_spec)
expm1 = _unary("expm1", "Expm1", "``exp(x) - 1``, exact near 0.", _float_spec)
log = _unary("log", "Log", "The natural logarithm of `x`.", _float_spec)
log1p = _unary("log1p", "Log1p", "``log(1 + x)``, exact near 0.", _float_spec)
sin = _unary("sin", "Sin", "The sine of `x`, in radians.", _float_spec)
cos = _unary("cos", "Cos", "The cosine of `x`, in radians.", _float_spec)
erf = _unary("erf", "Erf", "The error function of `x`.", _float_spec)
floor = _unary("floor", "Floor", "`x` rounded down.", _float_spec)
ceil = _unary("ceil", "Ceil", "`x` rounded up.", _float_spec)
round = _unary("round", "Round", "`x` rounded to the nearest integer, halves to the even one.", _float_spec)
isnan = _unary("isnan", "Isnan", "Whether `x` is NaN.", _boolean_spec)
isinf = _unary("isinf", "Isinf", "Whether `x` is infinite.", _boolean_spec)
isfinite = _unary("isfinite", "Isfinite", "Whether `x` is neither NaN nor infinite.", _boolean_spec)


def _clip_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return attrs["low"], attrs["high"]


CLIP = Op("clip", lambda x, low, high: x, _clip_params, elementwise=True)
WHERE = Op(
    "where", lambda c, a, b: TensorSpec(broadcast(c.shape, a.shape, b.shape), a.dtype), promote=False, elementwise=True
)


@operation("Clip")
def clip(x: Any, x_min: float, x_max: float) -> Any:
    """`x` limited to ``[x_min, x_max]``; NaN stays NaN."""
    return apply(CLIP, x, low=float(x_min), high=float(x_max))


@operation("Where")
def where(condition: Any, x1: Any, x2: Any) -> Any:
    """`x1` where `condition` is true, `x2` elsewhere; all three broadcast."""
    dtype = common_dtype([x1, x2])
    return apply(WHERE, as_dtype(condition, "bool"), as_dtype(x1, dtype), as_dtype(x2, dtype))


@operation("Cast")
def cast(x: Any, dtype: str) -> Any:
    """`x` in another dtype."""
    return apply(CAST, x, dtype=dtype_name(dtype))
