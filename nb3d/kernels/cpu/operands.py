"""What the compiled kernels of this folder ask of their operands, and the reasons they refuse with."""

from __future__ import annotations

from nb3d.kernels.case import Case

FLOATS = ("float32", "float64")


def why_not_floats(case: Case, weights: tuple[int, ...] = ()) -> str | None:
    """Returns why the operands cannot be computed: their dtype, an empty one, weights that change.

    Args:
        case: The case.
        weights: Positions of the inputs that ``prepare`` packs.
    """
    if case.out_dtype not in FLOATS or any(dtype != case.out_dtype for dtype in case.dtypes):
        return f"needs one dtype of {' and '.join(FLOATS)}, got {', '.join((*case.dtypes, case.out_dtype))}"
    if 0 in case.out or 0 in case.inputs[0]:
        return "an array is empty"
    if case.constant and not all(case.constant[i] for i in weights if case.inputs[i] != (0,)):
        return "packs its weights once, and these are not constant"
    return None
