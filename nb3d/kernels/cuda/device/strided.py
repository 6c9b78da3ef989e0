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


def build(op: str, axes: int, operands: int, dtype: str):
    """Returns the kernel for an operation on so many operands with so many axes; ``dtype`` is that of the operands."""
    compute, kind = function(op), np.dtype(dtype).type

    def strided(arrays, out, count, lead, sizes, walks, into, alpha, beta):
        left = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if left >= count:
            return
        at_a = walks[0][axes] if operands > 0 else None
        at_b = walks[1][axes] if operands > 1 else None
        at_c = walks[2][axes] if operands > 2 else None
        at_d = walks[3][axes] if operands > 3 else None
        at = into[axes]
        if axes > 1:
            for n in range(1, axes):
                axis = axes - n
                i = umod(left, sizes[axis])
                left = udiv(left, sizes[axis])
                if operands > 0:
                    at_a += i * walks[0][axis]
                if operands > 1:
                    at_b += i * walks[1][axis]
                if operands > 2:
                    at_c += i * walks[2][axis]
                if operands > 3:
                    at_d += i * walks[3][axis]
                at += i * into[axis]
        first = cuda.blockIdx.y * lead + left
        if first < sizes[0]:
            zero = kind(0)
            a = arrays[0][at_a + first * walks[0][0]] if operands > 0 else zero
            b = arrays[1][at_b + first * walks[1][0]] if operands > 1 else zero
            c = arrays[2][at_c + first * walks[2][0]] if operands > 2 else zero
            d = arrays[3][at_d + first * walks[3][0]] if operands > 3 else zero
            to = at + first * into[0]
            out[to] = compute(a, b, c, d, alpha, beta) if operands > 3 else compute(a, b, c, alpha, beta)

    return strided
