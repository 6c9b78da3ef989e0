"""normalization of contiguous runs, in one launch: see ``device/normalize.py``."""

from __future__ import annotations

import math

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cuda.columns import Columns
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import program

FLOATS = ("float32", "float64")
THREADS = 256
LONG = 32768  # values of a run that one block should not walk alone


def sizes(case: Case) -> tuple[int, int, int]:
    """Returns how many have statistics of their own, the voxels that these are taken of, and the channels."""
    shape, first = case.inputs[0], case.params[0]
    return math.prod(shape[:first]), math.prod(shape[first:-1]), shape[-1]


def why_not(case: Case) -> str | None:
    """Returns why no kernel of this room normalizes a case."""
    if case.out_dtype not in FLOATS or set(case.dtypes) != {case.out_dtype}:
        return f"needs one dtype of {' and '.join(FLOATS)}, got {', '.join((*case.dtypes, case.out_dtype))}"
    return "an array is empty" if 0 in case.out else None


def accepts(case: Case) -> str | None:
    """Accepts floats, where the values of a group lie contiguous."""
    if (reason := why_not(case)) is not None:
        return reason
    _, rows, _ = sizes(case)
    return "the values of a group do not follow each other" if rows > 1 and case.params[1] > 1 else None


def declines(case: Case) -> str | None:
    """Leaves volumes to the kernels that divide them among blocks."""
    _, rows, channels = sizes(case)
    return "the runs are too long for a block" if rows * channels // case.params[1] > LONG else None


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    (outer, rows, channels), dtype = sizes(case), case.out_dtype
    _, groups, epsilon, centered, divisor, code, alpha, beta = case.params
    runs, length = outer * groups, rows * channels // groups
    lanes = Columns(runs, length, 1).lanes
    arguments = (*(f"{dtype}[]",) * 4, *("int64",) * 4, "float64", dtype, dtype)
    item = program(
        "normalize", arguments, THREADS, lanes=lanes, centered=bool(centered), divisor=int(divisor),
        offset=case.inputs[1] != (0,), scale=case.inputs[2] != (0,), code=int(code),
    )  # fmt: skip

    def normalization(x, offset, scale, out, scratch, *params):
        launch(
            item, (-(-runs // lanes),), x, offset, scale, out, runs, length, groups, channels // groups, epsilon, alpha,
            beta,
        )  # fmt: skip

    return normalization
