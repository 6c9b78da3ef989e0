"""sum, mean, max, min, prod, any, all and variance over any axes: see ``device/reduce.py``.

Axes that do not follow each other are brought together by a transposed copy first.
"""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cuda.columns import Columns, launch_reduction, partial_bytes
from nb3d.kernels.cuda.copies import launch_transpose, why_not_transposed
from nb3d.kernels.cuda.scratch import Cutter, aligned

FLOATS = ("float32", "float64")
DTYPES = (*FLOATS, "int32", "int64", "bool")
TRUTH, AVERAGES = ("any", "all"), ("mean", "variance")


def _axes(case: Case) -> tuple[int, ...]:
    return tuple(sorted(axis % len(case.inputs[0]) for axis in case.params[0]))


def _order(case: Case) -> tuple[int, ...] | None:
    """The order of axes in which the reduced ones stand last, where they do not follow each other."""
    axes, rank = _axes(case), len(case.inputs[0])
    if not axes or axes == tuple(range(axes[0], axes[-1] + 1)):
        return None
    return (*(axis for axis in range(rank) if axis not in axes), *axes)


def _columns(case: Case) -> Columns:
    sizes, axes = case.inputs[0], _axes(case)
    length = math.prod(sizes[axis] for axis in axes)
    if _order(case) is not None or not axes:
        return Columns(math.prod(sizes) // length, length, 1)
    return Columns(math.prod(sizes[: axes[0]]), length, math.prod(sizes[axes[-1] + 1 :]))


def _total(case: Case) -> str:
    """The dtype that is computed in."""
    if case.op in TRUTH:
        return "int32"
    if case.op == "variance" or (case.op == "mean" and case.dtypes[0] not in FLOATS):
        return "float64"
    return case.out_dtype


def accepts(case: Case) -> str | None:
    """Accepts numbers and truth values; the largest and the smallest of numbers only."""
    dtype = case.dtypes[0]
    if dtype not in DTYPES or case.out_dtype not in DTYPES:
        return f"reduces {', '.join(DTYPES)}, got {dtype} to {case.out_dtype}"
    if case.op in ("max", "min") and (dtype != case.out_dtype or dtype == "bool"):
        return f"finds no {case.op} of {dtype} as {case.out_dtype}"
    if (case.op in TRUTH) != (case.out_dtype == "bool"):
        return f"makes no {case.out_dtype} of {case.op}"
    if case.op in AVERAGES and case.out_dtype not in FLOATS:
        return f"makes no {case.out_dtype} of a {case.op}"
    if 0 in (*case.inputs[0], *case.out):
        return "an array is empty"
    order = _order(case)
    return None if order is None else why_not_transposed(case.inputs[0], order)


def _copied_bytes(case: Case) -> int:
    return math.prod(case.inputs[0]) * np.dtype(case.dtypes[0]).itemsize if _order(case) is not None else 0


def scratch(case: Case, threads: int) -> int:
    """The transposed copy, the means of a variance, what the blocks of a long reduction leave."""
    columns, total = _columns(case), _total(case)
    means = aligned(columns.count * 8) if case.op == "variance" else 0
    return aligned(_copied_bytes(case)) + means + partial_bytes(columns, total)


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    columns, total, order = _columns(case), _total(case), _order(case)
    factor = 1.0 / columns.length if case.op in AVERAGES else 1.0
    op = {"mean": "sum", "variance": "squares"}.get(case.op, case.op)

    def reduce(x, out, scratch, axes):
        cut, centre = Cutter(scratch), None
        if order is not None:
            source, x = x, cut.array((math.prod(x.shape),), x.dtype)
            launch_transpose(source, order, x)
        if op == "squares":
            centre = cut.array((columns.count,), total)
        rest = cut.rest()
        if centre is not None:
            launch_reduction("sum", x, columns, centre, total, rest, factor)
        launch_reduction(op, x, columns, out, total, rest, factor, centre)

    return reduce
