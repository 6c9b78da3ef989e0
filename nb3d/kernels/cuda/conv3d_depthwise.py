"""Depthwise conv3d in float32: see ``device/conv_depthwise.py``."""

from __future__ import annotations

from nb3d.kernels.case import OUT, Case, Kernel
from nb3d.kernels.cuda.launches import MOST_BLOCKS, launch
from nb3d.kernels.cuda.planes import why_too_large
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.cuda.strides import THREADS
from nb3d.kernels.cuda.sums import slices as slices

TALL = 4  # voxels of a thread
RESIDENT = 2  # blocks of a multiprocessor
ARGUMENTS = (*("float32[]",) * 5, *("int32",) * 20, *("float32",) * 2)


def accepts(case: Case) -> str | None:
    """Accepts float32, as many groups as channels."""
    if any(dtype != "float32" for dtype in (case.out_dtype, *case.dtypes)):
        return f"computes float32 only, got {', '.join((*case.dtypes, case.out_dtype))}"
    if 0 in (*case.out, *case.inputs[0]):
        return "an array is empty"
    if case.params[9] != case.inputs[0][4]:
        return f"needs as many groups as channels, got {case.params[9]} and {case.inputs[0][4]}"
    return why_too_large(case)


def depthwise_program(case: Case) -> Program:
    """Returns the program for a case."""
    return program(
        "conv_depthwise", ARGUMENTS, THREADS, RESIDENT, kw=case.inputs[1][2], sw=case.params[2], dw=case.params[8],
        code=int(case.params[10]), bias=case.inputs[2] != (0,), residual=case.inputs[3] != (0,),
    )  # fmt: skip


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    (n, d, h, w, channels), (_, od, oh, ow, filters) = case.inputs[0], case.out
    (kd, kh, kw), (sd, sh, _, pd, ph, pw, dd, dh, _) = case.inputs[1][:3], case.params[:9]
    grid = (-(-oh * -(-ow // TALL) * filters // THREADS), min(n * od, MOST_BLOCKS[1]))

    def conv3d(x, kernel, bias, residual, out, scratch, *params):
        launch(
            depthwise_program(case), grid, x, kernel, bias, residual, out, n * od, od, oh, ow, filters,
            case.pitch(OUT), d, h, w, channels, kd, kh, kw, sd, sh, pd, ph, pw, dd, dh, *params[-2:],
        )  # fmt: skip

    return conv3d
