"""Sorting the middle of ``(outer, length, inner)``: every thread counts which values stand before its own.

Equal values keep their order, NaN stands last, as in NumPy. The count reads the whole column, so the work grows with
the square of the length: for the short axes that networks sort, all of a column from L1.
"""

from __future__ import annotations

from nb3d.kernels.cuda.door import cuda


def build(op: str):
    """Returns the kernel of ``sort`` or ``argsort``."""
    positions = op == "argsort"

    def rank(x, out, count, length, inner):
        at = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if at >= count:
            return
        mine, place = x[at], at // inner % length
        begin = at - place * inner
        before = 0
        for other in range(length):
            seen = x[begin + other * inner]
            less = (seen < mine) | ((mine != mine) & (seen == seen))
            same = (seen == mine) | ((mine != mine) & (seen != seen))
            before += 1 if less | (same & (other < place)) else 0
        out[begin + before * inner] = place if positions else mine

    return rank
