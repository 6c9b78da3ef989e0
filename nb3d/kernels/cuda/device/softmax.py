"""Softmax and its logarithm along the middle of ``(outer, length, inner)``: a thread walks one row three times.

For few classes, as segmentation has them, a warp's rows lie in the lines that it has just read. Bound by memory.
Registers: 66 at most, in ``float64``.
"""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels.cuda.door import cuda


def build(op: str, dtype: str):
    """Returns the kernel of ``softmax`` or ``log_softmax``."""
    kind = np.dtype(dtype).type
    lowest, logarithm = kind(-math.inf), op == "log_softmax"

    def softmax(x, out, rows, length, inner):
        row = cuda.blockIdx.x * np.int64(cuda.blockDim.x) + cuda.threadIdx.x
        if row >= rows:
            return
        begin = row // inner * length * inner + row % inner
        end = begin + length * inner
        top = lowest
        for at in range(begin, end, inner):
            top = x[at] if (x[at] > top) | (x[at] != x[at]) else top
        total = kind(0)
        for at in range(begin, end, inner):
            total += math.exp(x[at] - top)
        if logarithm:
            total = math.log(total)
        for at in range(begin, end, inner):
            shifted = x[at] - top
            out[at] = shifted - total if logarithm else math.exp(shifted) / total

    return softmax
