"""upsample3d_linear: see ``device/upsample_linear.py``."""

from __future__ import annotations

from nb3d.kernels.case import OUT, Case, Kernel
from nb3d.kernels.cuda.planes import launch_planes, why_too_large
from nb3d.kernels.cuda.program import program
from nb3d.kernels.cuda.strides import THREADS

FLOATS = ("float32", "float64")


def accepts(case: Case) -> str | None:
    """Accepts floats."""
    if case.out_dtype not in FLOATS or case.dtypes != (case.out_dtype,):
        return f"needs one dtype of {' and '.join(FLOATS)}, got {', '.join((*case.dtypes, case.out_dtype))}"
    return "an array is empty" if 0 in case.out else why_too_large(case)


def slices(case: Case) -> tuple[int, ...]:
    """Both operands."""
    return (0, OUT)


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    dtype, (n, d, h, w, channels), (_, od, oh, ow, _) = case.out_dtype, case.inputs[0], case.out
    item = program("upsample_linear", (f"{dtype}[]",) * 2 + ("int32",) * 13, THREADS, dtype=dtype)

    def upsample(x, out, scratch, *factors):
        launch_planes(
            item, case.out, x, out, n * od, od, oh, ow, channels, case.pitch(0), case.pitch(OUT), d, h, w, *factors
        )  # fmt: skip

    return upsample
