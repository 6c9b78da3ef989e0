"""Functions of one value or of a few, as the maps of ``strided.py`` and the write-outs of convolutions apply them.

Those that the CPU has too are in ``kernels/functions.py``, and all have the signature of these: operands ``a``, ``b``,
``c``, of which they take the first ones, and two numbers. Functions of four operands stand apart.
"""

from __future__ import annotations

import math

from nb3d.kernels.activations import Activation
from nb3d.kernels.cuda.door import device
from nb3d.kernels.formulas import formulas
from nb3d.kernels.functions import functions

_FORMULAS = formulas(device, math.exp, math.expm1, math.log1p, math.tanh, math.erf)
_SHARED = functions(math.exp, math.expm1, math.erf, math.floor, math.ceil)


def activation(code: int):
    """Returns the activation with a number, a function of ``x, alpha, beta``."""
    return device(_FORMULAS[Activation(code)])


def _divided_whole(a, b, c, p, q):
    """Integers divided downwards; by zero they are zero, as in NumPy."""
    zero = type(a)(0)
    return zero if b == zero else type(a)(a // b)


def _rest_whole(a, b, c, p, q):
    zero = type(a)(0)
    return zero if b == zero else type(a)(a % b)


@device
def _rest(a, b):
    zero = type(a)(0)
    left = math.fmod(a, b)
    return left + b if (left != zero) & ((left < zero) != (b < zero)) else left


def _divided_down(a, b, c, p, q):
    zero, half = type(a)(0), type(a)(0.5)
    if b == zero:
        return a / b
    near = (a - _rest(a, b)) / b  # almost an integer
    down = math.floor(near)
    return type(a)(down + type(a)(1) if near - down > half else down)


def _round(a, b, c, p, q):
    """To the nearest integer, halves to the even one."""
    half, one, down = type(a)(0.5), type(a)(1), type(a)(math.floor(a))
    over, even = a - down, type(a)(math.floor(down * half)) * type(a)(2) == down
    return down if (over < half) | ((over == half) & even) | (down == a) else down + one


def _truncate(a, b, c, p, q):
    return type(a)(math.ceil(a)) if a < type(a)(0) else type(a)(math.floor(a))


def _cube_root(a, b, c, p, q):
    zero, third = type(a)(0), type(a)(1 / 3)
    size = math.pow(abs(a), third)
    size = size - (size - abs(a) / (size * size)) * third if (size > zero) & (a - a == zero) else size
    return -size if a < zero else size


def _log_of_sum(a, b, c, p, q):
    top = a if (a > b) | (a != a) else b
    return a + type(a)(math.log(2.0)) if a == b else top + math.log1p(math.exp(-abs(a - b)))


def _norm(a, b, c, p, q):
    root = math.sqrt(a)
    return b / (root if (root > p) | (root != root) else p)


FUNCTIONS = {
    **_SHARED,
    "copy": _SHARED["cast"],
    "fill": lambda a, b, c, p, q: p,
    "log": lambda a, b, c, p, q: math.log(a),
    "log1p": lambda a, b, c, p, q: math.log1p(a),
    "truth": lambda a, b, c, p, q: a != type(a)(0),
    "round": _round,
    "trunc": _truncate,
    "arcsin": lambda a, b, c, p, q: math.asin(a),
    "arccos": lambda a, b, c, p, q: math.acos(a),
    "arctan": lambda a, b, c, p, q: math.atan(a),
    "sinh": lambda a, b, c, p, q: math.sinh(a),
    "cosh": lambda a, b, c, p, q: math.cosh(a),
    "arcsinh": lambda a, b, c, p, q: math.asinh(a),
    "arccosh": lambda a, b, c, p, q: math.acosh(a),
    "arctanh": lambda a, b, c, p, q: math.atanh(a),
    "log2": lambda a, b, c, p, q: math.log2(a),
    "log10": lambda a, b, c, p, q: math.log10(a),
    "exp2": lambda a, b, c, p, q: math.pow(type(a)(2), a),
    "cbrt": _cube_root,
    "divide_whole": lambda a, b, c, p, q: float(a) / float(b),
    "floor_divide": _divided_down,
    "floor_divide_whole": _divided_whole,
    "mod": lambda a, b, c, p, q: _rest(a, b),
    "mod_whole": _rest_whole,
    "power": lambda a, b, c, p, q: math.pow(a, b),
    "arctan2": lambda a, b, c, p, q: math.atan2(a, b),
    "hypot": lambda a, b, c, p, q: math.hypot(a, b),
    "logaddexp": _log_of_sum,
    "rescale": lambda a, b, c, p, q: type(a)(a * b + c),
    # What normalizations multiply by, of a mean of squares (or their sum), a scale, and epsilon: see ``divisors.py``.
    "root": lambda a, b, c, p, q: b / math.sqrt(a + p),
    "deviation": lambda a, b, c, p, q: b / (math.sqrt(a) + p),
    "norm": _norm,
}

# Of operands ``a``, ``b``, ``c``, ``d`` and two numbers.
OF_FOUR = {
    "batch_normalization": lambda a, b, c, d, p, q: (a - b) * c + d,
    "normalize": lambda a, b, c, d, p, q: type(a)((a - b) * c + d),
}

ANGLES = ("sin", "cos", "tan")


def function(name: str):
    """Returns the function of a name; activations go by theirs, and ``add:relu`` is one after another function."""
    name, _, then = name.partition(":")
    if then:
        first, last = function(name), activation(Activation[then.upper()])
        if name in OF_FOUR:
            return device(lambda a, b, c, d, p, q: last(first(a, b, c, d, p, q), p, q))
        return device(lambda a, b, c, p, q: last(first(a, b, c, p, q), p, q))
    if name in ANGLES:
        from nb3d.kernels.cuda.device import trigonometry  # instructions that the simulator has no words for

        angle = getattr(trigonometry, name)
        return device(lambda a, b, c, p, q: angle(a))
    code = Activation.__members__.get(name.upper())
    if code is None:
        return device(FUNCTIONS[name] if name in FUNCTIONS else OF_FOUR[name])
    chosen = activation(code)
    return device(lambda a, b, c, p, q: chosen(a, p, q))
