"""sort and argsort of short axes: see ``device/rank.py``."""

from __future__ import annotations

import math

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import program

DTYPES, PLACES = ("float32", "float64", "int32", "int64"), ("int32", "int64")
THREADS = 256
LONGEST = 4096


def accepts(case: Case) -> str | None:
    """Accepts numbers, axes of up to ``LONGEST`` values."""
    dtype, wanted = case.dtypes[0], PLACES if case.op == "argsort" else case.dtypes[:1]
    if dtype not in DTYPES or case.out_dtype not in wanted:
        return f"sorts {', '.join(DTYPES)}, got {dtype} to {case.out_dtype}"
    length = case.out[case.params[0]]
    if length > LONGEST:
        return f"sorts up to {LONGEST} values, got {length}"
    return "an array is empty" if 0 in case.out else None


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    axis, count = case.params[0] % len(case.out), math.prod(case.out)
    length, inner = case.out[axis], math.prod(case.out[axis + 1 :])
    arguments = (f"{case.dtypes[0]}[]", f"{case.out_dtype}[]", *("int64",) * 3)
    item = program("rank", arguments, THREADS, op=case.op)

    def rank(x, out, scratch, axis):
        launch(item, (-(-count // THREADS),), x, out, count, length, inner)

    return rank
