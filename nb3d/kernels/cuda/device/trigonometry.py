"""sin, cos and tan of ``float32``, of any size, in registers: the library's own keep a table in slow memory.

An angle is brought into a quarter of a turn, ``quadrants * pi / 2 + rest``. Up to ``LARGE`` that is a subtraction in
``float64``, with pi / 2 in two parts, the first so short that its multiples are exact. Beyond, the mantissa times
``2 / pi * 2**exponent`` is computed in fixed point, modulo 4, for whole turns do not count: of the bits of ``2 / pi``
only 64 matter, and which ones says the exponent. The series end where their next term is 1e-9 of the result.
"""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.door import device

LARGE = 2.0**20
BITS = 104 + 62  # the largest exponent of a mantissa of 24 bits, and the fraction of a quadrant


def _pi(bits: int) -> int:
    """Pi times ``2**bits``, by Machin's formula."""

    def arctan_of_inverse(x: int) -> int:
        term = total = (1 << bits + 16) // x
        for n in range(3, 3 * bits, 2):
            term = -term // (x * x)
            total += term // n
        return total

    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) >> 16


_INVERSE = (2 << 2 * BITS) // _pi(BITS)  # 2 / pi, times 2**BITS
LOW, MIDDLE, HIGH = (np.uint64(_INVERSE >> shift & (1 << 64) - 1) for shift in (0, 64, 128))
HALF_PI = math.pi / 2
FIRST = math.floor(HALF_PI * 2**32) / 2**32  # 33 bits: exact times 20 more
SECOND = (_pi(BITS) - (int(FIRST * 2**32) << BITS - 31)) / 2 ** (BITS + 1)
PART = HALF_PI / 2**62
U = np.uint64


@device
def _reduced(x):
    """``(quadrants modulo 4, rest)``."""
    y = np.float64(x)
    if abs(y) < LARGE:
        whole = math.floor(y / HALF_PI + 0.5)
        return np.int64(whole) & np.int64(3), (y - whole * FIRST) - whole * SECOND
    bits = asm.bits_of(x)
    exponent = np.int64(bits >> np.uint32(23) & np.uint32(255)) - np.int64(150)
    mantissa = U(bits & np.uint32(0x7FFFFF) | np.uint32(0x800000))
    shift = np.int64(104) - exponent
    far = shift >= np.int64(64)
    low, high = (MIDDLE, HIGH) if far else (LOW, MIDDLE)
    by = U(shift - np.int64(64) if far else shift)
    window = (low >> by) | ((high << U(1)) << (U(63) - by))
    turned = mantissa * window
    quadrants = (turned + (U(1) << U(61))) >> U(62)
    rest = np.float64(np.int64(turned - (quadrants << U(62)))) * PART
    whole = np.int64(quadrants & U(3))
    return (np.int64(4) - whole if x < np.float32(0) else whole) & np.int64(3), -rest if x < np.float32(0) else rest


@device
def _sine(r):
    s = r * r
    return r * (1.0 + s * (-1 / 6 + s * (1 / 120 + s * (-1 / 5040 + s * (1 / 362880)))))


@device
def _cosine(r):
    s = r * r
    return 1.0 + s * (-1 / 2 + s * (1 / 24 + s * (-1 / 720 + s * (1 / 40320 + s * (-1 / 3628800)))))


@device
def _both(x):
    """``(sin(x), cos(x))`` in ``float64``; NaN of what is not finite."""
    quadrants, rest = _reduced(x)
    sine, cosine = _sine(rest), _cosine(rest)
    odd, other = quadrants & np.int64(1), (quadrants + np.int64(1)) & np.int64(2)
    a, b = (cosine if odd else sine), (sine if odd else cosine)
    nothing = np.float64(x - x)
    return (-a if quadrants >= np.int64(2) else a) + nothing, (-b if other else b) + nothing


@device
def sin(x):
    """Sine."""
    return np.float32(_both(x)[0])


@device
def cos(x):
    """Cosine."""
    return np.float32(_both(x)[1])


@device
def tan(x):
    """Tangent."""
    sine, cosine = _both(x)
    return np.float32(sine / cosine)
