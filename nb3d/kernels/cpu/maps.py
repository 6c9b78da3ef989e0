"""Functions of up to three operands, value by value, whatever their shapes: arithmetic, comparison, logic, choice.

Operands are repeated as NumPy repeats them. Axes along which all operands go on, or rest, together become one, so that
a row, the innermost axis that is left, is as long as can be; along it every operand moves by one value or rests. A
task takes some rows, or a part of one. Short rows are slow: `binary` knows a better way for most of them.

Measured on one core of a Zen 4, 64^3 voxels of 32 channels: times a value per voxel 28 GB/s (NumPy: 7), plus values of
other shapes 18 to 24 GB/s (NumPy: 6), a choice 31 GB/s (NumPy: 8).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numba.extending import overload

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.approximations import erf, exp, expm1
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import OVERLOADED, Native, helper, task
from nb3d.kernels.cpu.launch import launch, workers_for
from nb3d.kernels.cpu.memory import pointer
from nb3d.kernels.cpu.operands import FLOATS
from nb3d.kernels.functions import COUNTING, functions
from nb3d.kernels.walks import broadcast, merged

PART = 16384  # values of a row, and of a task

OUT, ROW, ROWS, PARTS, BLOCK, AXES, A, B, C, FIRST = range(10)
LENGTH, STEP_A, STEP_B, STEP_C, AXIS_WORDS = range(5)  # of an axis: its length, what operands move along it, in bytes
OPERANDS = 3

FUNCTIONS = functions(exp, expm1, erf, np.floor, np.ceil)
NAMES = tuple(FUNCTIONS)
_INTEGERS = ("int32", "int64")


def accepts(case: Case) -> str | None:
    """Accepts floats; whole numbers and truth values where an operation gives them, or takes them to truth values."""
    if 0 in case.out:
        return "an array is empty"
    given, out = case.dtypes, case.out_dtype
    if case.op == "cast":
        exact = given[0] in ("bool", *_INTEGERS) or (given[0] in FLOATS and out in FLOATS)
        return None if exact and out in (*FLOATS, *_INTEGERS) else f"does not make {out} of {given[0]}"
    kinds: tuple[str, ...] = FLOATS
    if case.op == "where":
        given, kinds = given[1:], (*FLOATS, *_INTEGERS, "bool")
    elif out == "bool":
        kinds = (*FLOATS, *_INTEGERS, "bool")
    elif case.op in COUNTING:
        kinds = (*FLOATS, *_INTEGERS)
    if given[0] not in kinds or len({*given}) > 1 or out not in (given[0], "bool"):
        return f"needs one dtype of {', '.join(kinds)}, got {', '.join(given)} for {out}"
    return None


def overwrites(case: Case) -> tuple[int, ...]:
    """Operands that are not repeated, of the dtype of the result: every value is read before it is written."""
    operands = zip(case.inputs, case.dtypes, strict=True)
    return tuple(i for i, operand in enumerate(operands) if operand == (case.out, case.out_dtype))


def _kind(dtype: str) -> type:
    """The type that values of a dtype have inside the kernel: truth values are bytes."""
    kind: type = np.uint8 if dtype == "bool" else np.dtype(dtype).type
    return kind


def evaluate(number: int, a: Any, b: Any, c: Any, p: Any, q: Any) -> Any:
    """Inside kernels: the operation with a number (a constant, of `NAMES`) of one value of every operand."""


@overload(evaluate, prefer_literal=True, jit_options=OVERLOADED)
def _evaluate(number, a, b, c, p, q):
    function = helper(FUNCTIONS[NAMES[number.literal_value]])

    def chosen(number, a, b, c, p, q):
        return function(a, b, c, p, q)

    return chosen


@cache
def _map(op: str, dtypes: tuple[str, ...], out_dtype: str, moving: tuple[bool, ...], in_place: int) -> Native:
    number, result = NAMES.index(op), _kind(out_dtype)
    kind_a, kind_b, kind_c = (_kind(dtype) for dtype in dtypes)
    size_a, size_b, size_c = (np.dtype(dtype).itemsize for dtype in dtypes)
    moves_a, moves_b, moves_c = moving
    size = np.dtype(out_dtype).itemsize
    is_out_a, is_out_b, is_out_c = (in_place == i for i in range(OPERANDS))

    @task
    def run(words, numbers, index, worker):
        p, q = kind_a(numbers[0]), kind_a(numbers[1])
        for part in range(index * words[BLOCK], min((index + 1) * words[BLOCK], words[ROWS] * words[PARTS])):
            row, first = part // words[PARTS], part % words[PARTS] * PART
            at_a, at_b, at_c, rest = words[A], words[B], words[C], row
            for axis in range(words[AXES] - 1, -1, -1):
                entry = FIRST + axis * AXIS_WORDS
                place = rest % words[entry + LENGTH]
                rest //= words[entry + LENGTH]
                at_a += place * words[entry + STEP_A]
                at_b += place * words[entry + STEP_B]
                at_c += place * words[entry + STEP_C]
            length = min(words[ROW] - first, PART)
            out = pointer(words[OUT] + (row * words[ROW] + first) * size, result)
            # One pointer where two would be equal: loops would not become vectors.
            a = out if is_out_a else pointer(at_a + (first * size_a if moves_a else 0), kind_a)
            b = out if is_out_b else pointer(at_b + (first * size_b if moves_b else 0), kind_b)
            c = out if is_out_c else pointer(at_c + (first * size_c if moves_c else 0), kind_c)
            one_a, one_b, one_c = a[0], b[0], c[0]
            for k in range(length):
                x = a[k] if moves_a else one_a
                y = b[k] if moves_b else one_b
                z = c[k] if moves_c else one_c
                out[k] = result(evaluate(number, x, y, z, p, q))

    return run


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    missing = OPERANDS - len(case.inputs)  # the first operand stands for those that an operation does not have
    dtypes = case.dtypes + case.dtypes[:1] * missing
    sizes = [np.dtype(dtype).itemsize for dtype in dtypes]
    walks = [broadcast(shape, case.out) for shape in case.inputs] + [(0,) * len(case.out)] * missing
    lengths, steps = merged(case.out, walks)
    moving = tuple(walk[-1] == 1 for walk in steps)
    row, rows = lengths[-1], math.prod(lengths[:-1])
    parts = -(-row // PART)
    block = max(1, PART // row)
    axes = [
        (lengths[axis], *(walk[axis] * size for walk, size in zip(steps, sizes, strict=True)))
        for axis in range(len(lengths) - 1)
    ]
    fixed = np.array([0, row, rows, parts, block, len(axes), 0, 0, 0, *sum(axes, ())], np.int64)
    workers = workers_for(math.prod(case.out) * max(sizes))
    params = case.params if case.op == "clip" else ()
    numbers = np.array([*params, 0.0, 0.0][:2], np.float64)

    def apply(*arguments):
        *inputs, out, _scratch = arguments[: len(case.inputs) + 2]
        at = [address(x) for x in inputs]
        at += at[:1] * missing
        words = fixed.copy()
        words[OUT], words[A : C + 1] = address(out), at
        in_place = at.index(words[OUT]) if words[OUT] in at[: len(inputs)] else -1
        compiled = _map(case.op, dtypes, case.out_dtype, moving, in_place).address
        launch(compiled, words, numbers, -(-rows * parts // block), workers)

    return apply
