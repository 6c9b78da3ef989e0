"""max_pool3d and average_pool3d of any window, or of windows that divide the volume: see ``device/pool.py``."""

from __future__ import annotations

from nb3d.kernels.case import OUT, Case, Kernel
from nb3d.kernels.cuda.planes import launch_planes, why_too_large
from nb3d.kernels.cuda.program import program
from nb3d.kernels.cuda.strides import THREADS

DTYPES = ("float32", "float64", "int32")


def accepts(case: Case) -> str | None:
    """Accepts floats, and ``int32`` for the largest value."""
    if case.out_dtype not in DTYPES or (case.op.endswith("average_pool3d") and case.out_dtype == "int32"):
        return f"does not pool {case.out_dtype}"
    if case.dtypes != (case.out_dtype,):
        return "needs one dtype"
    return "an array is empty" if 0 in (*case.out, *case.inputs[0]) else why_too_large(case)


def slices(case: Case) -> tuple[int, ...]:
    """Both operands."""
    return (0, OUT)


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    dtype, (n, d, h, w, channels), (_, od, oh, ow, _) = case.out_dtype, case.inputs[0], case.out
    item = program("pool", (f"{dtype}[]",) * 2 + ("int32",) * 19, THREADS, op=case.op, dtype=dtype)

    def pool(x, out, scratch, *params):
        windows = params or (0,) * 9  # adaptive ones follow from the sizes
        launch_planes(
            item, case.out, x, out, n * od, od, oh, ow, channels, case.pitch(0), case.pitch(OUT), d, h, w, *windows
        )  # fmt: skip

    return pool
