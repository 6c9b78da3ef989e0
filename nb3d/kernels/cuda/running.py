"""cumsum and cumprod: see ``device/running.py``."""

from __future__ import annotations

import math

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import program
from nb3d.kernels.cuda.strides import flat, kind_of

DTYPES = ("float32", "float64", "int32", "int64")
THREADS = 128


def accepts(case: Case) -> str | None:
    """Accepts numbers, and truth values that are counted."""
    if case.out_dtype not in DTYPES or case.dtypes[0] not in (case.out_dtype, "bool"):
        return f"adds up {', '.join(DTYPES)}, got {case.dtypes[0]} to {case.out_dtype}"
    return "an array is empty" if 0 in case.out else None


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    sizes, axis, kind = case.out, case.params[0] % len(case.out), kind_of(case.dtypes[0])
    columns, length, inner = math.prod(sizes) // sizes[axis], sizes[axis], math.prod(sizes[axis + 1 :])
    arguments = (f"{kind}[]", f"{case.out_dtype}[]", *("int64",) * 3)
    item = program("running", arguments, THREADS, op=case.op, dtype=case.out_dtype)

    def running(x, out, scratch, axis):
        launch(item, (-(-columns // THREADS),), flat(x, kind), out, columns, length, inner)

    return running
