"""Reductions over the middle of ``(outer, length, inner)``: sum, mean, max, min.

A block has ``lanes`` columns (neighbouring inner positions, so reads are whole lines) and ``256 / lanes`` rows that
divide a run of the length; a tree in shared memory joins the rows. Long reductions are two launches: runs, then what
they left. The order of a sum depends on sizes alone. Shared memory: 256 values.
"""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels.cuda.door import cuda

THREADS = 256


def build(op: str, dtype: str, lanes: int):
    """Returns the kernel; ``lanes`` is a power of two up to 32. ``mean`` multiplies a sum by the factor it is given."""
    kind = np.dtype(dtype).type
    rows = THREADS // lanes
    start = kind({"sum": 0.0, "mean": 0.0, "max": -math.inf, "min": math.inf}[op])
    summing, largest = op in ("sum", "mean"), op == "max"

    def reduce(x, out, length, run, runs, inner, factor):
        shared = cuda.shared.array(THREADS, x.dtype)
        lane, row = cuda.threadIdx.x % lanes, cuda.threadIdx.x // lanes
        column = cuda.blockIdx.y * np.int64(lanes) + lane
        which = np.int64(cuda.blockIdx.x)  # outer position and run
        outer, number = which // runs, which % runs
        total = start
        if column < inner:
            base = outer * length * inner + column
            for at in range(number * run + row, min((number + 1) * run, length), rows):
                seen = x[base + at * inner]
                if summing:
                    total += seen
                elif largest:
                    total = seen if (seen > total) | (seen != seen) else total
                else:
                    total = seen if (seen < total) | (seen != seen) else total
        shared[cuda.threadIdx.x] = total
        cuda.syncthreads()
        half = rows // 2
        while half > 0:
            if row < half:
                mine, seen = shared[cuda.threadIdx.x], shared[cuda.threadIdx.x + half * lanes]
                if summing:
                    mine += seen
                elif largest:
                    mine = seen if (seen > mine) | (seen != seen) else mine
                else:
                    mine = seen if (seen < mine) | (seen != seen) else mine
                shared[cuda.threadIdx.x] = mine
            cuda.syncthreads()
            half //= 2
        if row == 0 and column < inner:
            out[which * inner + column] = shared[lane] * factor if summing else shared[lane]

    return reduce
