"""What a step costs: arithmetic and memory traffic, counted from sizes alone."""

from __future__ import annotations

from math import prod

from nb3d.kernels.case import Case

_FREE = {"reshape", "unfold", "identity", "assign"}


def flops(case: Case) -> int:
    """Floating-point operations of a step (a multiplication and an addition count as two)."""
    outputs = prod(case.out)
    if case.op == "conv3d":
        return 2 * outputs * prod(case.inputs[1][:4])
    if case.op == "conv3d_transpose":
        return 2 * prod(case.inputs[0]) * prod(case.inputs[1][:4])
    if case.op == "dense":
        return 2 * outputs * case.inputs[1][0]
    if case.op == "matmul":
        return 2 * outputs * case.inputs[0][-1]
    if case.op in ("max_pool3d", "average_pool3d"):
        return outputs * int(prod(case.params[:3]))
    if case.op in _FREE or case.op in ("transpose", "slice", "concatenate", "pad3d", "crop3d", "upsample3d", "cast"):
        return 0
    return max(outputs, *(prod(shape) for shape in case.inputs))


def traffic(case: Case) -> int:
    """Bytes that a step reads and writes at the least."""
    if case.op in _FREE:
        return 0
    sizes = {"float64": 8, "int64": 8, "uint64": 8, "bool": 1, "uint8": 1, "int8": 1, "int16": 2, "uint16": 2}
    read = sum(prod(shape) * sizes.get(dtype, 4) for shape, dtype in zip(case.inputs, case.dtypes, strict=True))
    return read + prod(case.out) * sizes.get(case.out_dtype, 4)
