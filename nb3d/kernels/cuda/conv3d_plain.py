"""conv3d and conv3d_transpose, one value per thread: what no tile takes. See ``device/conv_plain.py``."""

from __future__ import annotations

from nb3d.kernels.case import OUT, Case, Kernel
from nb3d.kernels.cuda.planes import launch_planes, why_too_large
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.cuda.strides import THREADS
from nb3d.kernels.cuda.sums import slices as slices

FLOATS = ("float32", "float64")


def accepts(case: Case) -> str | None:
    """Accepts floats."""
    if case.out_dtype not in FLOATS or any(dtype != case.out_dtype for dtype in case.dtypes):
        return f"needs one dtype of {' and '.join(FLOATS)}, got {', '.join((*case.dtypes, case.out_dtype))}"
    return "an array is empty" if 0 in (*case.out, *case.inputs[0]) else why_too_large(case)


def plain_program(case: Case) -> Program:
    """Returns the program for a case."""
    dtype, transposed = case.out_dtype, case.op == "conv3d_transpose"
    return program(
        "conv_plain", (f"{dtype}[]",) * 5 + ("int32",) * 23 + (dtype,) * 2, THREADS, transposed=transposed,
        code=int(case.params[-3]), bias=case.inputs[2] != (0,), dtype=dtype,
        residual=not transposed and case.inputs[3] != (0,),
    )  # fmt: skip


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    (n, d, h, w, channels), (_, od, oh, ow, filters) = case.inputs[0], case.out
    item, transposed = plain_program(case), case.op == "conv3d_transpose"
    taps, numbers = case.inputs[1][:3], case.params[:9]
    groups = 1 if transposed else case.params[9]

    def conv3d(x, kernel, bias, *rest):
        residual, out = (bias, rest[0]) if transposed else rest[:2]
        launch_planes(
            item, case.out, x, kernel, bias, residual, out, n * od, od, oh, ow, filters, case.pitch(OUT), d, h, w,
            channels, *taps, *numbers, groups, *case.params[-2:],
        )  # fmt: skip

    return conv3d
