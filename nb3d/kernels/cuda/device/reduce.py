"""Reductions over the middle of ``(outer, length, inner)``: sums, products, extremes, truth, squared deviations.

A column is one outer and one inner position. A block has ``lanes`` neighbouring columns and ``256 / lanes`` rows that
divide a run of the length; a tree in shared memory joins the rows. Neighbouring threads have neighbouring columns, or
where values of one column are neighbours (``inner`` is 1) neighbouring rows: a warp reads whole lines. Long reductions
are two launches: runs, then what they left. The order of a sum depends on sizes alone. Shared memory: 256 values.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.door import cuda, device

THREADS = 256


@device
def _plus(a, b):
    return a + b


@device
def _times(a, b):
    return a * b


@device
def _larger(a, b):
    return b if (b > a) | (b != b) else a


@device
def _smaller(a, b):
    return b if (b < a) | (b != b) else a


@device
def _either(a, b):
    return a | b


@device
def _both(a, b):
    return a & b


FOLDS = {"sum": _plus, "squares": _plus, "prod": _times, "max": _larger, "min": _smaller, "any": _either, "all": _both}


def _start(op: str, kind: np.dtype):
    """What changes nothing."""
    if op in ("max", "min"):
        limits = (-np.inf, np.inf) if kind.kind == "f" else (np.iinfo(kind).min, np.iinfo(kind).max)
        return limits[op == "min"]
    return int(op in ("prod", "all"))


def build(op: str, total: str, lanes: int, along: bool):
    """Returns the kernel.

    Args:
        op: Of ``FOLDS``; ``squares`` sums squared distances from the centre of a column.
        total: Dtype that is computed in.
        lanes: Columns of a block, a power of two.
        along: Whether neighbouring threads have neighbouring rows.
    """
    kind, fold, rows = np.dtype(total).type, FOLDS[op], THREADS // lanes
    start, truth, squares = kind(_start(op, np.dtype(total))), op in ("any", "all"), op == "squares"
    zero = kind(0)

    def reduce(x, centre, out, columns, length, run, runs, inner, share, factor):
        shared = cuda.shared.array(THREADS, total)
        t = cuda.threadIdx.x
        lane, row = (t // rows, t % rows) if along else (t % lanes, t // lanes)
        block, number = cuda.blockIdx.x // runs, cuda.blockIdx.x % runs
        column = block * np.int64(lanes) + lane
        value = start
        outer, at_inner = column // inner, column % inner
        if column < columns:
            base = outer * length * inner + at_inner
            middle = centre[outer * (inner // share) + at_inner // share] if squares else zero
            for at in range(number * np.int64(run) + row, min((number + 1) * np.int64(run), length), rows):
                seen = x[base + at * inner]
                if squares:
                    away = kind(seen) - middle
                    value = fold(value, away * away)
                elif truth:
                    value = fold(value, kind(seen != type(seen)(0)))
                else:
                    value = fold(value, kind(seen))
        here = row * lanes + lane
        shared[here] = value
        cuda.syncthreads()
        half = rows // 2
        while half > 0:
            if row < half:
                shared[here] = fold(shared[here], shared[here + half * lanes])
            cuda.syncthreads()
            half //= 2
        if row == 0 and column < columns:
            out[(outer * runs + number) * inner + at_inner] = shared[lane] * factor

    return reduce
