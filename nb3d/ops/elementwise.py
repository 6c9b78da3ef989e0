"""Arithmetic, comparison, logic and elementary functions, element by element, with NumPy's broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nb3d.engine.dtypes import dtype_name
from nb3d.engine.opgraph import CAST, IDENTITY, Op, Specs, same_spec
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
arctan2 = _binary("arctan2", "Arctan2", "The angle of the point ``(x2, x1)``, between -pi and pi.", _float_spec)
hypot = _binary("hypot", "Hypot", "``sqrt(x1**2 + x2**2)``, without overflow.", _float_spec)
logaddexp = _binary("logaddexp", "Logaddexp", "``log(exp(x1) + exp(x2))``, without overflow.", _float_spec)

equal = _binary("equal", "Equal", "Whether ``x1 == x2``.", _boolean_spec)
not_equal = _binary("not_equal", "NotEqual", "Whether ``x1 != x2``.", _boolean_spec)
less = _binary("less", "Less", "Whether ``x1 < x2``.", _boolean_spec)
less_equal = _binary("less_equal", "LessEqual", "Whether ``x1 <= x2``.", _boolean_spec)
greater = _binary("greater", "Greater", "Whether ``x1 > x2``.", _boolean_spec)
greater_equal = _binary("greater_equal", "GreaterEqual", "Whether ``x1 >= x2``.", _boolean_spec)
logical_and = _binary("logical_and", "LogicalAnd", "Whether both are true.", _boolean_spec)
logical_or = _binary("logical_or", "LogicalOr", "Whether one is true.", _boolean_spec)
logical_xor = _binary("logical_xor", "LogicalXor", "Whether exactly one is true.", _boolean_spec)
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
log2 = _unary("log2", "Log2", "The logarithm of `x` to base 2.", _float_spec)
log10 = _unary("log10", "Log10", "The logarithm of `x` to base 10.", _float_spec)
exp2 = _unary("exp2", "Exp2", "``2 ** x``.", _float_spec)
cbrt = _unary("cbrt", "Cbrt", "The cube root of `x`.", _float_spec)
sin = _unary("sin", "Sin", "The sine of `x`, in radians.", _float_spec)
cos = _unary("cos", "Cos", "The cosine of `x`, in radians.", _float_spec)
tan = _unary("tan", "Tan", "The tangent of `x`, in radians.", _float_spec)
arcsin = _unary("arcsin", "Arcsin", "The angle whose sine is `x`, NaN beyond -1 and 1.", _float_spec)
arccos = _unary("arccos", "Arccos", "The angle whose cosine is `x`, NaN beyond -1 and 1.", _float_spec)
arctan = _unary("arctan", "Arctan", "The angle whose tangent is `x`.", _float_spec)
sinh = _unary("sinh", "Sinh", "The hyperbolic sine of `x`.", _float_spec)
cosh = _unary("cosh", "Cosh", "The hyperbolic cosine of `x`.", _float_spec)
arcsinh = _unary("arcsinh", "Arcsinh", "The number whose hyperbolic sine is `x`.", _float_spec)
arccosh = _unary("arccosh", "Arccosh", "The number whose hyperbolic cosine is `x`, NaN below 1.", _float_spec)
arctanh = _unary("arctanh", "Arctanh", "The number whose hyperbolic tangent is `x`, NaN beyond -1 and 1.", _float_spec)
erf = _unary("erf", "Erf", "The error function of `x`.", _float_spec)
floor = _unary("floor", "Floor", "`x` rounded down.", _float_spec)
ceil = _unary("ceil", "Ceil", "`x` rounded up.", _float_spec)
trunc = _unary("trunc", "Trunc", "`x` without its fraction.", _float_spec)
_ROUND = Op("round", _float_spec, elementwise=True)
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


@operation("Round")
def round(x: Any, decimals: int = 0) -> Any:
    """`x` rounded to so many digits behind the point, halves to the even one."""
    if not decimals:
        return apply(_ROUND, _as_float(x))
    return apply(_ROUND, _as_float(x) * 10.0**decimals) / 10.0**decimals


@operation("NanToNum")
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """`x` with numbers in place of NaN and infinities: for these the largest and smallest where none are given."""
    dtype = str(x.dtype)
    if not dtype.startswith("float"):
        return x
    limits = np.finfo(dtype)
    top, bottom = limits.max if posinf is None else posinf, limits.min if neginf is None else neginf
    x = where(isnan(x), as_dtype(nan, dtype), x)
    return where(isinf(x), where(greater(x, 0), as_dtype(top, dtype), as_dtype(bottom, dtype)), x)


@operation("Isclose")
def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether ``|x1 - x2| <= atol + rtol * |x2|``, or both are the same infinity, or NaN with `equal_nan`."""
    near = less_equal(absolute(subtract(x1, x2)), add(multiply(absolute(x2), rtol), atol))
    near = logical_or(logical_and(near, isfinite(x2)), equal(x1, x2))
    return logical_or(near, logical_and(isnan(x1), isnan(x2))) if equal_nan else near


@operation("DivideNoNan")
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """``x1 / x2``, 0 where `x2` is 0."""
    return where(equal(x2, 0), 0.0, divide(x1, x2))


@operation("Where")
def where(condition: Any, x1: Any, x2: Any) -> Any:
    """`x1` where `condition` is true, `x2` elsewhere; all three broadcast."""
    dtype = common_dtype([x1, x2])
    return apply(WHERE, as_dtype(condition, "bool"), as_dtype(x1, dtype), as_dtype(x2, dtype))


@operation("Cast")
def cast(x: Any, dtype: str) -> Any:
    """`x` in another dtype."""
    return apply(CAST, x, dtype=dtype_name(dtype))


@operation("Copy")
def copy(x: Any) -> Any:
    """`x` once more."""
    return apply(IDENTITY, x)


@operation("StopGradient")
def stop_gradient(variable: Any) -> Any:
    """`variable` itself: there are no gradients."""
    return apply(IDENTITY, variable)


@operation("ConvertToTensor")
def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """`x` as an array or a tensor, in another dtype where one is given; `sparse` and `ragged` must be false."""
    return apply(IDENTITY, x) if dtype is None else apply(CAST, x, dtype=dtype_name(dtype))
