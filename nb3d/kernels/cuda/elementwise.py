"""Operations value by value: activations, functions, arithmetic with broadcasting, comparisons, batch normalization.

All are maps over strided operands: see ``device/strided.py``.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Arrays, Case, Kernel
from nb3d.kernels.cuda.strides import AXES, Walk, apply_map, broadcast, contiguous, merged

FLOATS = ("float32", "float64")
ACTIVATIONS = tuple(code.name.lower() for code in Activation)
ANY_DTYPE = (
    "add", "subtract", "multiply", "maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "logical_and", "logical_or", "logical_not", "where",
)  # fmt: skip
OF_FLOATS = (
    "abs", "negative", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "sign", "floor", "ceil",
    "erf", "isnan", "isfinite", "isinf", "divide", "prelu", "clip", "batch_normalization",
)  # fmt: skip
OPS = (*ACTIVATIONS, *ANY_DTYPE, *OF_FLOATS)


def accepts(case: Case) -> str | None:
    """Accepts operands of one dtype (but for ``where``), floats where the function has no meaning for integers."""
    operands = case.dtypes[1:] if case.op == "where" else case.dtypes
    if len(set(operands)) > 1 or (case.op == "where" and case.dtypes[0] != "bool"):
        return f"needs operands of one dtype, got {', '.join(case.dtypes)}"
    if case.op not in ANY_DTYPE and operands[0] not in FLOATS:
        return f"needs one dtype of {' and '.join(FLOATS)}, got {operands[0]}"
    if case.op == "batch_normalization" and case.constant and not all(case.constant[1:]):
        return "packs its statistics once, and these are not constant"
    axes = len(merged(case.out, [*_walks(case), Walk(contiguous(case.out))])[0])
    return f"{axes} axes do not merge into {AXES}" if axes > AXES else None


def _walks(case: Case) -> tuple[Walk, ...]:
    if case.op != "batch_normalization":
        return tuple(broadcast(shape, case.out) for shape in case.inputs)
    axis = case.params[1] % len(case.out)
    along = Walk(tuple(int(number == axis) for number in range(len(case.out))))
    return Walk(contiguous(case.out)), along, along, along


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Batch normalization becomes ``(x - mean) * factor + offset``."""
    if case.op != "batch_normalization":
        return inputs
    x, mean, variance, offset, scale = inputs
    with np.errstate(all="ignore"):  # a negative variance is NaN, as on the CPU
        factor = 1.0 / np.sqrt(variance.astype(np.float64) + case.params[0])
        factor = (factor * scale if scale.size else factor).astype(mean.dtype)
    return x, mean, factor, offset if offset.size else np.zeros_like(mean), scale


def overwrites(case: Case) -> tuple[int, ...]:
    """Every operand of the result's shape: a value is read by the thread that writes there."""
    return tuple(position for position, shape in enumerate(case.inputs) if shape == case.out)


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    walks, into = _walks(case), Walk(contiguous(case.out))
    op, alpha, beta = case.op, 0.0, 0.0
    if case.op in (*ACTIVATIONS, "clip"):
        alpha, beta = case.params
    elif case.op == "batch_normalization":
        code, alpha, beta = case.params[2:]
        op = case.op if code == Activation.LINEAR else f"{case.op}:{Activation(code).name.lower()}"

    def elementwise(*arguments):
        operands = arguments[: len(walks)]
        out = arguments[len(case.inputs)]
        apply_map(op, case.out, list(zip(operands, walks, strict=True)), out, into, alpha, beta)

    return elementwise
