"""matmul, and dense layers that the kernel of convolutions does not compute: see ``device/matmul.py``."""

from __future__ import annotations

import math

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Case, Kernel, Shape
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import program
from nb3d.kernels.cuda.strides import Walk, broadcast, merged

DTYPES = ("float32", "float64", "int32", "int64")
SIDE, THREADS, AXES = 64, 256, 3


def accepts(case: Case) -> str | None:
    """Accepts one dtype, batches that are broadcast along not too many axes."""
    if case.out_dtype not in DTYPES or set(case.dtypes) != {case.out_dtype}:
        return f"needs one dtype of {', '.join(DTYPES)}, got {', '.join((*case.dtypes, case.out_dtype))}"
    if case.op == "dense" and case.out_dtype not in DTYPES[:2]:
        return f"finishes sums of floats, got {case.out_dtype}"
    if 0 in (*case.inputs[0], *case.inputs[1]):
        return "an array is empty"
    if min(len(case.inputs[0]), len(case.inputs[1])) < 2:
        return "a factor is a vector"
    axes = len(_batches(case)[0])
    return f"batches of {axes} axes do not merge into {AXES}" if axes > AXES else None


def _batches(case: Case) -> tuple[Shape, tuple[Walk, ...]]:
    """The batches, and how many matrices of either factor lie between neighbouring ones."""
    batch = case.out[:-2]
    return merged(batch, [broadcast(shape[:-2], batch) for shape in case.inputs[:2]])


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    dtype, (rows, columns), depth = case.out_dtype, case.out[-2:], case.inputs[0][-1]
    sizes, walks = _batches(case)
    absent = AXES - len(sizes)
    batches = (1,) * absent + sizes
    steps = [
        step * math.prod(shape[-2:])
        for shape, walk in zip(case.inputs, walks, strict=False)
        for step in (*(0,) * absent, *walk.strides)
    ]
    code, alpha, beta = case.params or (Activation.LINEAR, 0, 0)
    with_bias = case.op == "dense" and case.inputs[2] != (0,)
    down, across = -(-rows // SIDE), -(-columns // SIDE)
    resident = 2 if dtype in ("float32", "int32") else 1  # 64 bits take twice the registers
    arguments = (*(f"{dtype}[]",) * 4, *("int64",) * 5, *("int64",) * 9, dtype, dtype)
    item = program("matmul", arguments, THREADS, resident, dtype=dtype, bias=with_bias, code=int(code))

    def product(a, b, bias, out):
        launch(
            item, (math.prod(batches) * down * across,), a, b, bias, out, rows, depth, columns, down, across, *batches,
            *steps, alpha, beta,
        )  # fmt: skip

    if case.op == "dense":
        return lambda a, b, bias, out, scratch, *params: product(a, b, bias, out)
    return lambda a, b, out, scratch: product(a, b, Array(0, (0,), out.dtype), out)
