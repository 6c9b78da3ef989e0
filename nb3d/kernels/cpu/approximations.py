"""exp, expm1, log, log1p, tanh, erf in ``float32`` without branches or calls, so that loops over them become vectors.

Numba's own are scalar calls into the C library: ten times slower in a loop. Accuracy against ``float64``, measured over
all magnitudes by ``tests/kernels/test_approximations.py``: at most 3 units in the last place, denormal results
included. NaN and infinities come out as in NumPy. ``float64`` uses the C library.

Compiled without ``reassoc``: it would undo the range reductions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from nb3d.kernels.cpu.compile import OVERLOADED, helper

F = np.float32
I = np.int32  # noqa: E741

# exp(x) = 2**n * exp(r), r = x - n * ln 2 in two parts, |r| <= ln 2 / 2; n from the bits of x / ln 2 + 1.5 * 2**23.
MAGIC = F(12582912.0)
MAGIC_BITS = I(0x4B400000)
LOG2_E = F(1.4426950408889634)
LN2_HIGH, LN2_LOW = F(0.693145751953125), F(1.42860682030941723212e-6)
TOO_LARGE, NORMAL, TOO_SMALL = F(89.0), F(-86.0), F(-104.0)
E2, E3, E4, E5, E6, E7 = (F(c) for c in (0.5, 0.16666667, 0.041666485, 0.0083333612, 0.0013930436, 0.00019876510))
SEVEN, BIAS, MANTISSA = I(1), I(127), I(23)
ZERO, HALF, ONE, TWO = F(0.0), F(0.5), F(1.0), F(2.0)


def _reinterpret(name: str, source: Any, target: Any, kind: Any) -> Any:
    def cast(context: Any, value: Any) -> Any:
        def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], kind)

        return target(source), generate

    cast.__name__ = name
    return intrinsic(cast)


bits = _reinterpret("bits", types.float32, types.int32, ir.IntType(32))
from_bits = _reinterpret("from_bits", types.int32, types.float32, ir.FloatType())


def _for_dtype(function: Any, single: Any, double: Any) -> None:
    """Gives ``function`` one body for ``float32`` and one for ``float64``."""

    @overload(function, jit_options=OVERLOADED)
    def choose(x):
        return single if x == types.float32 else double


def exp(x: Any) -> Any:
    """Inside kernels: e to the power of x."""


def exp_below_zero(x: Any) -> Any:
    """Inside kernels: e to the power of x, for x up to 0; results below the normal numbers are 0."""


def expm1(x: Any) -> Any:
    """Inside kernels: e to the power of x, minus one, exact also near zero."""


def tanh(x: Any) -> Any:
    """Inside kernels: the hyperbolic tangent."""


def log(x: Any) -> Any:
    """Inside kernels: the natural logarithm of normal numbers."""


def log1p(x: Any) -> Any:
    """Inside kernels: the logarithm of 1 + x, for x from 0 to 1."""


def erf(x: Any) -> Any:
    """Inside kernels: the error function."""


def _exp32(x):
    # Comparisons written so that NaN passes through.
    x = TOO_LARGE if x > TOO_LARGE else x
    x = TOO_SMALL if x < TOO_SMALL else x
    t = x * LOG2_E + MAGIC
    n = bits(t) - MAGIC_BITS
    k = t - MAGIC
    r = x - k * LN2_HIGH
    r = r - k * LN2_LOW
    p = E7
    p = p * r + E6
    p = p * r + E5
    p = p * r + E4
    p = p * r + E3
    p = p * r + E2
    p = p * r * r + r + ONE
    half = n >> SEVEN  # 2**n in two factors: n may be -150 or 128
    return p * from_bits((half + BIAS) << MANTISSA) * from_bits((n - half + BIAS) << MANTISSA)


def _exp_below_zero32(x):
    t = x * LOG2_E + MAGIC
    k = t - MAGIC
    r = x - k * LN2_HIGH
    r = r - k * LN2_LOW
    p = E7
    p = p * r + E6
    p = p * r + E5
    p = p * r + E4
    p = p * r + E3
    p = p * r + E2
    p = p * r * r + r + ONE
    y = from_bits(bits(p) + (bits(t) << MANTISSA))  # the bits of the magic number are shifted out
    return ZERO if x < NORMAL else y


def _expm1_32(x):
    x = TOO_LARGE if x > TOO_LARGE else x
    x = TOO_SMALL if x < TOO_SMALL else x
    t = x * LOG2_E + MAGIC
    n = bits(t) - MAGIC_BITS
    k = t - MAGIC
    r = x - k * LN2_HIGH
    r = r - k * LN2_LOW
    p = E7
    p = p * r + E6
    p = p * r + E5
    p = p * r + E4
    p = p * r + E3
    p = p * r + E2
    p = p * r * r + r
    half = n >> SEVEN
    low, high = from_bits((half + BIAS) << MANTISSA), from_bits((n - half + BIAS) << MANTISSA)
    return (p * low) * high + (low * high - ONE) if n < I(127) else (p * low + low) * high - ONE


T1, T2, T3, T4, T5 = (F(c) for c in (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1,
                                     -3.33332819422e-1))  # fmt: skip
TANH_SERIES, TANH_ONE = F(0.625), F(9.5)


def _tanh32(x):
    a = abs(x)
    s = x * x
    p = T1
    p = p * s + T2
    p = p * s + T3
    p = p * s + T4
    p = p * s + T5
    near = p * s * x + x
    far = ONE - TWO / (exp(a + a) + ONE)
    far = -far if x < ZERO else far
    return near if a < TANH_SERIES else far


# log(m) for m in [sqrt(1/2), sqrt(2)): Cephes.
L = tuple(F(c) for c in (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
                         -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1))  # fmt: skip
L1, L2, L3, L4, L5, L6, L7, L8, L9 = L
SQRT2, LN2 = F(1.41421356), F(0.69314718056)
INFINITY, NAN = F(math.inf), F(math.nan)


ROOT_HALF_BITS = I(0x3F3504F3)


@helper
def _log_mantissa(f, rest):
    """``log(1 + f) + rest`` for ``1 + f`` in [sqrt(1/2), sqrt(2))."""
    s = f * f
    p = L1
    p = p * f + L2
    p = p * f + L3
    p = p * f + L4
    p = p * f + L5
    p = p * f + L6
    p = p * f + L7
    p = p * f + L8
    p = p * f + L9
    return f + (p * f * s - HALF * s) + rest


def _log32(x):
    e = (bits(x) - ROOT_HALF_BITS) >> MANTISSA
    m = from_bits(bits(x) - (e << MANTISSA))
    y = _log_mantissa(m - ONE, F(e) * LN2)
    y = x if x == INFINITY else y
    y = -INFINITY if x == ZERO else y
    return y if x >= ZERO else NAN


def _log1p32(x):
    u = ONE + x
    lost = x - (u - ONE)  # what the sum rounded away
    above = u > SQRT2
    return _log_mantissa((u * HALF if above else u) - ONE, lost / u + (LN2 if above else ZERO))


EA = tuple(F(c) for c in (-1.72853470e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1,
                          -6.34846687e-1, -1.28717512e-1))  # fmt: skip
A1, A2, A3, A4, A5, A6, A7 = EA
EB = tuple(F(c) for c in (-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1,
                          1.28379166e-1))  # fmt: skip
B1, B2, B3, B4, B5, B6 = EB
ERF_SERIES = F(0.927734375)


def _erf32(x):
    t = abs(x)
    s = x * x
    r = A1 * t + A2
    u = A3 * t + A4
    r = r * s + u
    r = r * t + A5
    r = r * t + A6
    r = r * t + A7
    r = r * t - t
    far = ONE - exp(r)
    far = ONE if t > F(4.0) else far  # where the polynomial has left its range
    far = -far if x < ZERO else far
    p = B1
    p = p * s + B2
    p = p * s + B3
    p = p * s + B4
    p = p * s + B5
    p = p * s + B6
    near = p * x + x
    return near if t < ERF_SERIES else (x if x != x else far)


_for_dtype(exp, _exp32, lambda x: math.exp(x))
_for_dtype(exp_below_zero, _exp_below_zero32, lambda x: math.exp(x))
_for_dtype(expm1, _expm1_32, lambda x: math.expm1(x))
_for_dtype(tanh, _tanh32, lambda x: math.tanh(x))
_for_dtype(log, _log32, lambda x: math.log(x))
_for_dtype(log1p, _log1p32, lambda x: math.log1p(x))
_for_dtype(erf, _erf32, lambda x: math.erf(x))
