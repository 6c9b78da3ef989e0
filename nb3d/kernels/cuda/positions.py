"""argmax and argmin: see ``device/position.py``."""

from __future__ import annotations

import math

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import program

DTYPES = ("float32", "float64", "int32", "int64")
THREADS = 256


def accepts(case: Case) -> str | None:
    """Accepts numbers."""
    if case.dtypes[0] not in DTYPES or case.out_dtype not in ("int32", "int64"):
        return f"finds positions among {', '.join(DTYPES)}, got {case.dtypes[0]} to {case.out_dtype}"
    return "an array is empty" if 0 in case.inputs[0] else None


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    sizes, axis = case.inputs[0], case.params[0] % len(case.inputs[0])
    outer, length, inner = math.prod(sizes[:axis]), sizes[axis], math.prod(sizes[axis + 1 :])
    arguments = (f"{case.dtypes[0]}[]", f"{case.out_dtype}[]", "int64", "int64")
    item = program("position", arguments, THREADS, op=case.op, dtype=case.dtypes[0])

    def position(x, out, scratch, axis):
        launch(item, (outer * inner,), x, out, length, inner)

    return position
