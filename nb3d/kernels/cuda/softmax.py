"""softmax and its logarithm: see ``device/softmax.py``."""

from __future__ import annotations

import math

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import program

FLOATS = ("float32", "float64")
THREADS = 256


def accepts(case: Case) -> str | None:
    """Accepts floats."""
    if case.out_dtype not in FLOATS or case.dtypes != (case.out_dtype,):
        return f"needs one dtype of {' and '.join(FLOATS)}, got {', '.join((*case.dtypes, case.out_dtype))}"
    return "an array is empty" if 0 in case.out else None


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    dtype, sizes, axis = case.out_dtype, case.inputs[0], case.params[0] % len(case.out)
    outer, length, inner = math.prod(sizes[:axis]), sizes[axis], math.prod(sizes[axis + 1 :])
    item = program("softmax", (f"{dtype}[]",) * 2 + ("int64",) * 3, THREADS, op=case.op, dtype=dtype)

    def softmax(x, out, scratch, axis):
        rows = outer * inner
        launch(item, (-(-rows // THREADS),), x, out, rows, length, inner)

    return softmax
