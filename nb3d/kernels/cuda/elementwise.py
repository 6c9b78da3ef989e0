"""Operations value by value: activations, functions, arithmetic with broadcasting, comparisons, batch normalization.

All are maps over strided operands: see ``device/strided.py``.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import OUT, Arrays, Case, Kernel
from nb3d.kernels.cuda.strides import AXES, Walk, apply_map, broadcast, merged, strides_of, why_no_dtype

FLOATS, WHOLE = ("float32", "float64"), ("int32", "int64")
ACTIVATIONS = tuple(code.name.lower() for code in Activation)
ANY_DTYPE = (
    "add", "subtract", "multiply", "maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "logical_and", "logical_or", "logical_xor", "logical_not", "where",
)  # fmt: skip
OF_NUMBERS = ("abs", "negative", "square", "sign", "divide", "floor_divide", "mod")
OF_FLOATS = (
    "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "reciprocal", "floor", "ceil", "round", "erf", "isnan",
    "isfinite", "isinf", "prelu", "clip", "batch_normalization", "trunc", "arcsin", "arccos", "arctan", "sinh", "cosh",
    "arcsinh", "arccosh", "arctanh", "log2", "log10", "exp2", "cbrt", "power", "arctan2", "hypot", "logaddexp",
)  # fmt: skip
OF_SINGLES = ("sin", "cos", "tan")
OPS = (*ACTIVATIONS, *ANY_DTYPE, *OF_NUMBERS, *OF_FLOATS, *OF_SINGLES)
APART = ("divide", "floor_divide", "mod")  # what has another function for integers


def accepts(case: Case) -> str | None:
    """Accepts operands of one dtype (but for ``where``), floats where the function has no meaning for integers."""
    if (reason := why_no_dtype(case)) is not None:
        return reason
    operands = case.dtypes[1:] if case.op == "where" else case.dtypes
    if len(set(operands)) > 1 or (case.op == "where" and case.dtypes[0] != "bool"):
        return f"needs operands of one dtype, got {', '.join(case.dtypes)}"
    known = (*FLOATS, *WHOLE) if case.op in OF_NUMBERS else FLOATS[:1] if case.op in OF_SINGLES else FLOATS
    if case.op not in ANY_DTYPE and operands[0] not in known:
        return f"needs one dtype of {', '.join(known)}, got {operands[0]}"
    axes = len(merged(case.out, [*_walks(case), _into(case)])[0])
    return f"{axes} axes do not merge into {AXES}" if axes > AXES else None


def _walks(case: Case) -> tuple[Walk, ...]:
    if case.op != "batch_normalization":
        shapes = enumerate(case.inputs)
        return tuple(broadcast(shape, case.out, case.pitch(number)) for number, shape in shapes)
    axis = case.params[1] % len(case.out)
    along = Walk(tuple(int(number == axis) for number in range(len(case.out))))
    return Walk(strides_of(case.out, case.pitch(0))), along, along, along


def _into(case: Case) -> Walk:
    return Walk(strides_of(case.out, case.pitch(OUT)))


def slices(case: Case) -> tuple[int, ...]:
    """The output and all operands; of batch normalization the values."""
    return (0, OUT) if case.op == "batch_normalization" else (*range(len(case.inputs)), OUT)


def _is_packed(case: Case) -> bool:
    """Whether batch normalization has its statistics before the run."""
    known = zip(case.constant[1:], case.inputs[1:], strict=True) if case.constant else ()
    return all(constant or shape == (0,) for constant, shape in known)


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Batch normalization becomes ``(x - mean) * factor + offset``, with ``factor`` in the place of the variance."""
    if case.op != "batch_normalization":
        return inputs
    x, mean, variance, offset, scale = inputs
    absent = np.zeros(mean.shape, mean.dtype)
    offset, scale = offset if offset.size else absent, scale if scale.size else absent + 1
    if not _is_packed(case):
        return x, mean, variance, offset, scale
    with np.errstate(all="ignore"):  # a negative variance is NaN, as on the CPU
        factor = scale / np.sqrt(variance.astype(np.float64) + case.params[0])
    return x, mean, factor.astype(mean.dtype), offset, scale


def scratch(case: Case, threads: int) -> int:
    """The factors of a batch normalization whose statistics a run brings."""
    if case.op != "batch_normalization" or _is_packed(case):
        return 0
    return case.inputs[1][0] * np.dtype(case.out_dtype).itemsize


def overwrites(case: Case) -> tuple[int, ...]:
    """Every operand of the result's shape: a value is read by the thread that writes there."""
    return tuple(position for position, shape in enumerate(case.inputs) if shape == case.out)


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    walks, into = _walks(case), _into(case)
    op, alpha, beta = case.op, 0.0, 0.0
    if case.op in APART and case.dtypes[0] in WHOLE:
        op = f"{op}_whole"
    if case.op in (*ACTIVATIONS, "clip"):
        alpha, beta = case.params
    elif case.op == "batch_normalization":
        code, alpha, beta = case.params[2:]
        op = case.op if code == Activation.LINEAR else f"{case.op}:{Activation(code).name.lower()}"

    def elementwise(*arguments):
        operands = arguments[: len(walks)]
        out = arguments[len(case.inputs)]
        if case.op == "batch_normalization" and not _is_packed(case):
            factor = arguments[len(case.inputs) + 1].part(0, case.inputs[1], case.out_dtype)
            along = Walk((1,))
            variance, scale = arguments[2], arguments[4]
            apply_map("root", case.inputs[1], [(variance, along), (scale, along)], factor, along, case.params[0])
            operands = (*operands[:2], factor, operands[3])
        apply_map(op, case.out, list(zip(operands, walks, strict=True)), out, into, alpha, beta)

    return elementwise
