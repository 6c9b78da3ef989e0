"""The part of the table of cases that is about functions of single values, of operands of any shapes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.kernels.example import F32, F64, Example, plain

WHOLE = (2, 3, 4, 5, 6)
ARITHMETIC = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
LOGIC = ("logical_and", "logical_or", "logical_xor")


def of_one_value() -> Iterator[Example]:
    """Functions of one operand."""
    for op in ("abs", "negative", "sign", "floor", "ceil", "expm1", "exp", "erf", "square", "reciprocal"):
        yield plain(op, ((5, 7),), (5, 7), values="special")
        yield plain(op, ((5, 7),), (5, 7), dtypes=F64)
    for op in ("sqrt", "rsqrt"):
        yield plain(op, ((5, 7),), (5, 7), values="special")
        yield plain(op, ((5, 7),), (5, 7), dtypes=F64, values="positive")
    yield plain("sqrt", ((300_000,),), (300_000,), values="positive", note="medium")
    for op in ("abs", "negative", "sign", "square"):
        yield plain(op, ((5, 7),), (5, 7), dtypes="int64")
    for op in ("isnan", "isfinite", "isinf"):
        yield plain(op, ((5, 7),), (5, 7), out_dtype="bool", values="special")
    yield plain("logical_not", ((5, 7),), (5, 7), dtypes="bool")
    yield plain("clip", ((5, 7),), (5, 7), (-0.5, 0.75), F64, values="special")
    for dtype, to in (("bool", F32), ("bool", "int32"), ("int32", F32), ("int64", F64), (F32, F64), (F64, F32)):
        yield plain("cast", ((5, 7),), (5, 7), dtypes=dtype, out_dtype=to)


def of_several_values() -> Iterator[Example]:
    """Functions of operands that are repeated along any axes."""
    for op in ARITHMETIC:
        yield plain(op, (WHOLE, (3, 1, 5, 1)), WHOLE, values="special" if op in ("maximum", "minimum") else "positive")
        yield plain(op, ((2, 3, 1, 1, 6), (4, 5, 1)), WHOLE, values="positive")
        yield plain(op, ((4, 1, 6), WHOLE), WHOLE, dtypes=F64, values="positive")
        yield plain(op, ((20, 1, 30, 1, 40), (25, 1, 8, 1)), (20, 25, 30, 8, 40), values="positive", note="medium")
    for op in ("add", "subtract", "multiply", "maximum", "minimum"):
        for dtype in ("int32", "int64"):
            yield plain(op, ((5, 1, 3), (4, 1)), (5, 4, 3), dtypes=dtype)
    yield plain("add", ((2, 70_000), (2, 1)), (2, 70_000), note="long rows")
    yield plain("prelu", (WHOLE, (3, 1, 5, 1)), WHOLE, values="special")
    yield plain("prelu", (WHOLE, (3, 1, 1, 6)), WHOLE, dtypes=F64)
    for op in COMPARISONS:
        for dtype in (F32, F64, "int32", "int64", "bool"):
            yield plain(op, ((2, 3, 1, 1, 6), (4, 5, 1)), WHOLE, dtypes=dtype, out_dtype="bool")
        yield plain(op, ((9, 8), ()), (9, 8), out_dtype="bool", values="special")
        yield plain(op, ((), (300_000,)), (300_000,), out_dtype="bool", note="medium")
    for op in LOGIC:
        yield plain(op, ((2, 3, 1, 1, 6), (4, 5, 1)), WHOLE, dtypes="bool")
        yield plain(op, ((3, 5), (5,)), (3, 5), dtypes="int32", out_dtype="bool")
    for dtype in (F32, F64, "int64", "bool"):
        kinds = ("bool", dtype, dtype)
        yield plain("where", (WHOLE, (3, 1, 5, 1), (4, 1, 1)), WHOLE, dtypes=kinds, out_dtype=dtype)
        yield plain("where", ((2, 1, 1, 1, 6), WHOLE, ()), WHOLE, dtypes=kinds, out_dtype=dtype)
        yield plain("where", ((), WHOLE, WHOLE), WHOLE, dtypes=kinds, out_dtype=dtype)
