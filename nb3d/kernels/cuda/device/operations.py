"""Functions of one value or of a few, as the maps of ``strided.py`` and the write-outs of convolutions apply them.

Comparisons are written so that NaN comes out as in NumPy. Numbers are made of the type of the operand.
"""

from __future__ import annotations

import math

from nb3d.kernels.activations import Activation
from nb3d.kernels.cuda.door import device
from nb3d.kernels.formulas import formulas

_FORMULAS = formulas(device, math.exp, math.expm1, math.log1p, math.tanh, math.erf)


def activation(code: int):
    """Returns the activation with a number, a function of ``x, alpha, beta``."""
    return device(_FORMULAS[Activation(code)])


def _sign(a, b, c, d, alpha, beta):
    one, zero = type(a)(1), type(a)(0)
    below = -one if a < zero else a  # zero and NaN are their own signs
    return one if a > zero else below


def _larger(a, b, c, d, alpha, beta):
    return a if (a > b) | (a != a) else b


def _smaller(a, b, c, d, alpha, beta):
    return a if (a < b) | (a != a) else b


def _clip(a, b, c, d, alpha, beta):
    low = alpha if a < alpha else a
    return beta if low > beta else low


# Every function has the same signature: four operands, of which it takes the first ones, and two numbers.
FUNCTIONS = {
    "copy": lambda a, b, c, d, alpha, beta: a,
    "fill": lambda a, b, c, d, alpha, beta: alpha,
    "abs": lambda a, b, c, d, alpha, beta: abs(a),
    "negative": lambda a, b, c, d, alpha, beta: -a,
    "exp": lambda a, b, c, d, alpha, beta: math.exp(a),
    "expm1": lambda a, b, c, d, alpha, beta: math.expm1(a),
    "log": lambda a, b, c, d, alpha, beta: math.log(a),
    "log1p": lambda a, b, c, d, alpha, beta: math.log1p(a),
    "sqrt": lambda a, b, c, d, alpha, beta: math.sqrt(a),
    "rsqrt": lambda a, b, c, d, alpha, beta: type(a)(1) / math.sqrt(a),
    "square": lambda a, b, c, d, alpha, beta: a * a,
    "reciprocal": lambda a, b, c, d, alpha, beta: type(a)(1) / a,
    "sign": _sign,
    "floor": lambda a, b, c, d, alpha, beta: math.floor(a),
    "ceil": lambda a, b, c, d, alpha, beta: math.ceil(a),
    "erf": lambda a, b, c, d, alpha, beta: math.erf(a),
    "isnan": lambda a, b, c, d, alpha, beta: a != a,
    "isfinite": lambda a, b, c, d, alpha, beta: a - a == type(a)(0),
    "isinf": lambda a, b, c, d, alpha, beta: (a - a != type(a)(0)) & (a == a),
    "logical_not": lambda a, b, c, d, alpha, beta: a == type(a)(0),
    "add": lambda a, b, c, d, alpha, beta: a + b,
    "subtract": lambda a, b, c, d, alpha, beta: a - b,
    "multiply": lambda a, b, c, d, alpha, beta: a * b,
    "divide": lambda a, b, c, d, alpha, beta: a / b,
    "maximum": _larger,
    "minimum": _smaller,
    "equal": lambda a, b, c, d, alpha, beta: a == b,
    "not_equal": lambda a, b, c, d, alpha, beta: a != b,
    "less": lambda a, b, c, d, alpha, beta: a < b,
    "less_equal": lambda a, b, c, d, alpha, beta: a <= b,
    "greater": lambda a, b, c, d, alpha, beta: a > b,
    "greater_equal": lambda a, b, c, d, alpha, beta: a >= b,
    "logical_and": lambda a, b, c, d, alpha, beta: (a != type(a)(0)) & (b != type(b)(0)),
    "logical_or": lambda a, b, c, d, alpha, beta: (a != type(a)(0)) | (b != type(b)(0)),
    "prelu": lambda a, b, c, d, alpha, beta: a if a > type(a)(0) else b * a,
    "clip": _clip,
    "where": lambda a, b, c, d, alpha, beta: b if a != type(a)(0) else c,
    "batch_normalization": lambda a, b, c, d, alpha, beta: (a - b) * c + d,
}


def function(name: str):
    """Returns the function of a name; activations go by theirs, and ``add:relu`` is one after another function."""
    name, _, then = name.partition(":")
    if then:
        first, last = function(name), activation(Activation[then.upper()])
        return device(lambda a, b, c, d, alpha, beta: last(first(a, b, c, d, alpha, beta), alpha, beta))
    code = Activation.__members__.get(name.upper())
    if code is None:
        return device(FUNCTIONS[name])
    chosen = activation(code)
    return device(lambda a, b, c, d, alpha, beta: chosen(a, alpha, beta))
