"""A function of up to four operands, value by value, each operand walked with strides of its own.

Broadcasting, transposes, slices, repetitions and writes into a part of an array are all strides, so one kernel serves
them. A thread computes one value: a warp reads and writes whole lines where the last axis of the operands is
contiguous. Bound by memory up to about 70 instructions per value; an axis costs a 32-bit division, so the host merges
axes first. The first axis is divided over ``blockIdx.y`` in runs of ``lead``, which keeps positions in 32 bits and
offsets in 64. Registers: under 64.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.device.operations import function
from nb3d.kernels.cuda.door import cuda

AXES = 7


def build(op: str, operands: int, axes: int, dtype: str):
    """Returns the kernel for an operation on so many operands with so many axes; ``dtype`` is that of the operands."""
    compute, kind = function(op), np.dtype(dtype).type

    def strided(
        a, b, c, d, out, count, lead, n0, n1, n2, n3, n4, n5, n6,
        a0, a1, a2, a3, a4, a5, a6, at_a, b0, b1, b2, b3, b4, b5, b6, at_b, c0, c1, c2, c3, c4, c5, c6, at_c,
        d0, d1, d2, d3, d4, d5, d6, at_d, o0, o1, o2, o3, o4, o5, o6, at_o, alpha, beta,
    ):  # fmt: skip
        left = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if left >= count:
            return
        if axes > 6:
            i = umod(left, n6)
            left = udiv(left, n6)
            at_a, at_b, at_c, at_d, at_o = at_a + i * a6, at_b + i * b6, at_c + i * c6, at_d + i * d6, at_o + i * o6
        if axes > 5:
            i = umod(left, n5)
            left = udiv(left, n5)
            at_a, at_b, at_c, at_d, at_o = at_a + i * a5, at_b + i * b5, at_c + i * c5, at_d + i * d5, at_o + i * o5
        if axes > 4:
            i = umod(left, n4)
            left = udiv(left, n4)
            at_a, at_b, at_c, at_d, at_o = at_a + i * a4, at_b + i * b4, at_c + i * c4, at_d + i * d4, at_o + i * o4
        if axes > 3:
            i = umod(left, n3)
            left = udiv(left, n3)
            at_a, at_b, at_c, at_d, at_o = at_a + i * a3, at_b + i * b3, at_c + i * c3, at_d + i * d3, at_o + i * o3
        if axes > 2:
            i = umod(left, n2)
            left = udiv(left, n2)
            at_a, at_b, at_c, at_d, at_o = at_a + i * a2, at_b + i * b2, at_c + i * c2, at_d + i * d2, at_o + i * o2
        if axes > 1:
            i = umod(left, n1)
            left = udiv(left, n1)
            at_a, at_b, at_c, at_d, at_o = at_a + i * a1, at_b + i * b1, at_c + i * c1, at_d + i * d1, at_o + i * o1
        first = cuda.blockIdx.y * lead + left
        if first < n0:
            at_o += first * o0
            zero = kind(0)
            x = a[at_a + first * a0] if operands > 0 else zero
            y = b[at_b + first * b0] if operands > 1 else zero
            z = c[at_c + first * c0] if operands > 2 else zero
            w = d[at_d + first * d0] if operands > 3 else zero
            out[at_o] = compute(x, y, z, w, alpha, beta)

    return strided
