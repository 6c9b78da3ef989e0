"""take and take_along_axis: see ``device/gather.py``."""

from __future__ import annotations

import math

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import program

FLOATS, INDICES = ("float32", "float64"), ("int32", "int64")
THREADS = 256


def accepts(case: Case) -> str | None:
    """Accepts floats, and where every value has an index of its own, indices of the result's shape."""
    if case.dtypes[0] not in FLOATS or case.out_dtype != case.dtypes[0]:
        return f"picks {' and '.join(FLOATS)}: only they can say, as NaN, that an index was wrong; got {case.dtypes[0]}"
    if case.dtypes[1] not in INDICES:
        return f"needs indices of {' or '.join(INDICES)}, got {case.dtypes[1]}"
    if case.op == "take_along_axis":
        axis = case.params[0] % len(case.out)
        seen = (*case.out[:axis], case.inputs[0][axis], *case.out[axis + 1 :])
        if case.inputs[1] != case.out or case.inputs[0] != seen:
            return "needs an index for every value of the result"
    return "an array is empty" if 0 in (*case.inputs[0], *case.out) else None


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    sizes, axis, each = case.inputs[0], case.params[0] % len(case.inputs[0]), case.op == "take_along_axis"
    inner, count = math.prod(sizes[axis + 1 :]), math.prod(case.out)
    picked = case.out[axis] if each else math.prod(case.inputs[1])
    dtype, indices = case.dtypes
    arguments = (f"{dtype}[]", f"{indices}[]", f"{dtype}[]", *("int64",) * 4)
    item = program("gather", arguments, THREADS, dtype=dtype, each=each)

    def gather(x, indices, out, scratch, axis):
        launch(item, (-(-count // THREADS),), x, indices, out, count, picked, sizes[case.params[0]], inner)

    return gather
