"""sum, mean, max and min over neighbouring axes, softmax and its logarithm: see ``device/reduce.py``."""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cuda.launches import MOST_BLOCKS, launch
from nb3d.kernels.cuda.program import Program, program

FLOATS = ("float32", "float64")
THREADS = 256
RUN = 4096  # values of a column that one block takes
SOFTMAX = ("softmax", "log_softmax")


def _shape(case: Case) -> tuple[int, int, int]:
    """``(outer, length, inner)``: before, along and behind the reduced axes."""
    sizes = case.inputs[0]
    axes = case.params[0] if isinstance(case.params[0], tuple) else (case.params[0],)
    first, last = (min(axes) % len(sizes), max(axes) % len(sizes)) if axes else (len(sizes), len(sizes) - 1)
    return math.prod(sizes[:first]), math.prod(sizes[first : last + 1]), math.prod(sizes[last + 1 :])


def accepts(case: Case) -> str | None:
    """Accepts floats, and axes that follow each other."""
    if case.out_dtype not in FLOATS or case.dtypes != (case.out_dtype,):
        return f"needs one dtype of {' and '.join(FLOATS)}, got {', '.join((*case.dtypes, case.out_dtype))}"
    if 0 in (*case.inputs[0], *case.out):
        return "an array is empty"
    if case.op not in SOFTMAX:
        axes = sorted(axis % len(case.inputs[0]) for axis in case.params[0])
        if axes != list(range(axes[0], axes[0] + len(axes))) if axes else True:
            return "the axes do not follow each other"
    return None


def _runs(length: int) -> int:
    return -(-length // RUN)


def scratch(case: Case, threads: int) -> int:
    """What the blocks of a long reduction leave."""
    if case.op in SOFTMAX:
        return 0
    outer, length, inner = _shape(case)
    runs = _runs(length)
    return outer * runs * inner * np.dtype(case.out_dtype).itemsize if runs > 1 else 0


def reduction_program(op: str, dtype: str, lanes: int) -> Program:
    """Returns the program that reduces columns, ``lanes`` of them in a block."""
    arguments = (f"{dtype}[]",) * 2 + ("int64",) * 4 + (dtype,)
    return program("reduce", arguments, THREADS, op=op, dtype=dtype, lanes=lanes)


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    dtype, (outer, length, inner) = case.out_dtype, _shape(case)
    if case.op in SOFTMAX:
        item = program("softmax", (f"{dtype}[]",) * 2 + ("int64",) * 3, THREADS, op=case.op, dtype=dtype)

        def softmax(x, out, scratch, axis):
            rows = outer * inner
            launch(item, (-(-rows // THREADS),), x, out, rows, length, inner)

        return softmax

    lanes = min(32, 1 << (inner - 1).bit_length())
    item, runs = reduction_program(case.op, dtype, lanes), _runs(length)
    factor = 1.0 / length if case.op == "mean" else 1.0
    columns = -(-inner // lanes)
    if columns > MOST_BLOCKS[1]:
        raise ValueError(f"{case.op}: {inner} columns are more than one launch can reduce.")

    def reduce(x, out, scratch, axes):
        if runs > 1:
            partial = scratch.part(0, (outer, runs, inner), dtype)
            launch(item, (outer * runs, columns), x, partial, length, RUN, runs, inner, 1.0)
            launch(item, (outer, columns), partial, out, runs, runs, 1, inner, factor)
        else:
            launch(item, (outer, columns), x, out, length, length, 1, inner, factor)

    return reduce
