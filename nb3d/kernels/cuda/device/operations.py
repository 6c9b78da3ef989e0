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


def _divided_whole(a, b, c, d, alpha, beta):
    """Integers divided downwards; by zero they are zero, as in NumPy."""
    zero = type(a)(0)
    return zero if b == zero else type(a)(a // b)


def _rest_whole(a, b, c, d, alpha, beta):
    zero = type(a)(0)
    return zero if b == zero else type(a)(a % b)


@device
def _rest(a, b):
    zero = type(a)(0)
    left = math.fmod(a, b)
    return left + b if (left != zero) & ((left < zero) != (b < zero)) else left


def _divided_down(a, b, c, d, alpha, beta):
    zero, half = type(a)(0), type(a)(0.5)
    if b == zero:
        return a / b
    near = (a - _rest(a, b)) / b  # almost an integer
    down = math.floor(near)
    return type(a)(down + type(a)(1) if near - down > half else down)


def _round(a, b, c, d, alpha, beta):
    """To the nearest integer, halves to the even one."""
    half, one, down = type(a)(0.5), type(a)(1), type(a)(math.floor(a))
    over, even = a - down, type(a)(math.floor(down * half)) * type(a)(2) == down
    return down if (over < half) | ((over == half) & even) | (down == a) else down + one


def _truncate(a, b, c, d, alpha, beta):
    return type(a)(math.ceil(a)) if a < type(a)(0) else type(a)(math.floor(a))


def _cube_root(a, b, c, d, alpha, beta):
    zero, third = type(a)(0), type(a)(1 / 3)
    size = math.pow(abs(a), third)
    size = size - (size - abs(a) / (size * size)) * third if (size > zero) & (a - a == zero) else size
    return -size if a < zero else size


def _log_of_sum(a, b, c, d, alpha, beta):
    top = a if (a > b) | (a != a) else b
    return a + type(a)(math.log(2.0)) if a == b else top + math.log1p(math.exp(-abs(a - b)))


def _norm(a, b, c, d, alpha, beta):
    root = math.sqrt(a)
    return b / (root if (root > alpha) | (root != root) else alpha)


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
    "truth": lambda a, b, c, d, alpha, beta: a != type(a)(0),
    "round": _round,
    "trunc": _truncate,
    "arcsin": lambda a, b, c, d, alpha, beta: math.asin(a),
    "arccos": lambda a, b, c, d, alpha, beta: math.acos(a),
    "arctan": lambda a, b, c, d, alpha, beta: math.atan(a),
    "sinh": lambda a, b, c, d, alpha, beta: math.sinh(a),
    "cosh": lambda a, b, c, d, alpha, beta: math.cosh(a),
    "arcsinh": lambda a, b, c, d, alpha, beta: math.asinh(a),
    "arccosh": lambda a, b, c, d, alpha, beta: math.acosh(a),
    "arctanh": lambda a, b, c, d, alpha, beta: math.atanh(a),
    "log2": lambda a, b, c, d, alpha, beta: math.log2(a),
    "log10": lambda a, b, c, d, alpha, beta: math.log10(a),
    "exp2": lambda a, b, c, d, alpha, beta: math.pow(type(a)(2), a),
    "cbrt": _cube_root,
    "add": lambda a, b, c, d, alpha, beta: a + b,
    "subtract": lambda a, b, c, d, alpha, beta: a - b,
    "multiply": lambda a, b, c, d, alpha, beta: a * b,
    "divide": lambda a, b, c, d, alpha, beta: a / b,
    "divide_whole": lambda a, b, c, d, alpha, beta: float(a) / float(b),
    "floor_divide": _divided_down,
    "floor_divide_whole": _divided_whole,
    "mod": lambda a, b, c, d, alpha, beta: _rest(a, b),
    "mod_whole": _rest_whole,
    "power": lambda a, b, c, d, alpha, beta: math.pow(a, b),
    "arctan2": lambda a, b, c, d, alpha, beta: math.atan2(a, b),
    "hypot": lambda a, b, c, d, alpha, beta: math.hypot(a, b),
    "logaddexp": _log_of_sum,
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
    "logical_xor": lambda a, b, c, d, alpha, beta: (a != type(a)(0)) != (b != type(b)(0)),
    "prelu": lambda a, b, c, d, alpha, beta: a if a > type(a)(0) else b * a,
    "clip": _clip,
    "where": lambda a, b, c, d, alpha, beta: b if a != type(a)(0) else c,
    "batch_normalization": lambda a, b, c, d, alpha, beta: (a - b) * c + d,
    "normalize": lambda a, b, c, d, alpha, beta: type(a)((a - b) * c + d),
    "rescale": lambda a, b, c, d, alpha, beta: type(a)(a * b + c),
    # What normalizations multiply by, of a mean of squares (or their sum), a scale, and epsilon: see ``divisors.py``.
    "root": lambda a, b, c, d, alpha, beta: b / math.sqrt(a + alpha),
    "deviation": lambda a, b, c, d, alpha, beta: b / (math.sqrt(a) + alpha),
    "norm": _norm,
}


ANGLES = ("sin", "cos", "tan")


def function(name: str):
    """Returns the function of a name; activations go by theirs, and ``add:relu`` is one after another function."""
    name, _, then = name.partition(":")
    if then:
        first, last = function(name), activation(Activation[then.upper()])
        return device(lambda a, b, c, d, alpha, beta: last(first(a, b, c, d, alpha, beta), alpha, beta))
    if name in ANGLES:
        from nb3d.kernels.cuda.device import trigonometry  # instructions that the simulator has no words for

        angle = getattr(trigonometry, name)
        return device(lambda a, b, c, d, alpha, beta: angle(a))
    code = Activation.__members__.get(name.upper())
    if code is None:
        return device(FUNCTIONS[name])
    chosen = activation(code)
    return device(lambda a, b, c, d, alpha, beta: chosen(a, alpha, beta))
