"""The elementwise operations as functions of single values, for a device to compile into its kernels. Loads no Numba.

Every function has one signature: operands ``a``, ``b``, ``c``, of which it takes the first ones, and two numbers of the
type of ``a``. Comparisons are written so that NaN comes out as in NumPy. Numbers are made of the type of an operand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]

# What gives whole numbers too, where it is given them; comparison, logic and choice take every dtype.
COUNTING = ("add", "subtract", "multiply", "maximum", "minimum", "abs", "negative", "square", "sign")


def functions(
    exp: Function, expm1: Function, erf: Function, floor: Function, ceil: Function
) -> dict[str, Function]:
    """Returns operation -> function of ``a, b, c, p, q``; arguments are the device's own functions of one value."""
    return {
        "add": lambda a, b, c, p, q: a + b,
        "subtract": lambda a, b, c, p, q: a - b,
        "multiply": lambda a, b, c, p, q: a * b,
        "divide": lambda a, b, c, p, q: a / b,
        "maximum": lambda a, b, c, p, q: a if (a > b) | (a != a) else b,
        "minimum": lambda a, b, c, p, q: a if (a < b) | (a != a) else b,
        "prelu": lambda a, b, c, p, q: a if a > type(a)(0) else b * a,
        "equal": lambda a, b, c, p, q: a == b,
        "not_equal": lambda a, b, c, p, q: a != b,
        "less": lambda a, b, c, p, q: a < b,
        "less_equal": lambda a, b, c, p, q: a <= b,
        "greater": lambda a, b, c, p, q: a > b,
        "greater_equal": lambda a, b, c, p, q: a >= b,
        "logical_and": lambda a, b, c, p, q: (a != type(a)(0)) & (b != type(b)(0)),
        "logical_or": lambda a, b, c, p, q: (a != type(a)(0)) | (b != type(b)(0)),
        "logical_xor": lambda a, b, c, p, q: (a != type(a)(0)) != (b != type(b)(0)),
        "logical_not": lambda a, b, c, p, q: a == type(a)(0),
        "isnan": lambda a, b, c, p, q: a != a,
        "isfinite": lambda a, b, c, p, q: a - a == type(a)(0),
        "isinf": lambda a, b, c, p, q: (a - a != type(a)(0)) & (a == a),
        "where": lambda a, b, c, p, q: b if a != type(a)(0) else c,
        "cast": lambda a, b, c, p, q: a,
        "abs": lambda a, b, c, p, q: abs(a),
        "negative": lambda a, b, c, p, q: -a,
        "square": lambda a, b, c, p, q: a * a,
        # Zero and NaN are their own signs.
        "sign": lambda a, b, c, p, q: type(a)(1) if a > type(a)(0) else (type(a)(-1) if a < type(a)(0) else a),
        "reciprocal": lambda a, b, c, p, q: type(a)(1) / a,
        "sqrt": lambda a, b, c, p, q: math.sqrt(a),
        "rsqrt": lambda a, b, c, p, q: type(a)(1) / math.sqrt(a),
        "exp": lambda a, b, c, p, q: exp(a),
        "expm1": lambda a, b, c, p, q: expm1(a),
        "erf": lambda a, b, c, p, q: erf(a),
        "floor": lambda a, b, c, p, q: floor(a),
        "ceil": lambda a, b, c, p, q: ceil(a),
        "clip": lambda a, b, c, p, q: q if (a > q) | (p > q) else (p if a < p else a),
    }
