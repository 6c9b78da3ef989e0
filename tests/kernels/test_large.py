"""Offsets beyond 2**31 values and 2**33 bytes, in every compiled kernel, over memory that is reserved and never filled.

A kernel is given volumes of more values than 32 bits can count, zeros but for their end, and runs its last tasks only:
these compute the end of the output, at the largest offsets there are. What they write is compared with the reference
on the last planes alone.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from nb3d.kernels import table
from nb3d.kernels.case import Case
from nb3d.kernels.cpu.launch import launch
from nb3d.kernels.divisors import Divisor
from tests.kernels.cases import LINEAR, NO

NORESERVE = 0x4000  # of Linux; Python names it from 3.13 on
BEYOND = 2**31
FEW = 24  # planes of the small problem: those at the end of the large one
END = 8  # planes that are compared: far from the cut, whose border the small problem has elsewhere
TASKS = 64  # that are run

Shapes = tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]
TASK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


@dataclass(frozen=True)
class Large:
    """An operation on a volume of any depth.

    Attributes:
        op: Its name.
        kernel: Name of the implementation.
        depth: So that there are more than 2**31 values.
        shapes: Shapes of the inputs and of the output for a depth.
        params: Its parameters.
        axis: Where the depth is in the output.
        first: Where it is in the inputs that have it.
    """

    op: str
    kernel: str
    depth: int
    shapes: Callable[[int], Shapes]
    params: tuple[object, ...] = ()
    axis: int = 1
    first: int = 1

    def case(self, depth: int) -> Case:
        """The case for a depth; weights are those inputs that do not have it."""
        inputs, out = self.shapes(depth)
        constant = tuple(shape == self.shapes(depth + 1)[0][i] for i, shape in enumerate(inputs))
        return Case(self.op, inputs, ("float32",) * len(inputs), out, "float32", self.params, constant)


def _same(channels: int = 1, *more: tuple[int, ...]) -> Callable[[int], Shapes]:
    return lambda depth: (((1, depth, 60, 60, channels), *more), (1, depth, 60, 60, channels))


def _twice(depth: int) -> Shapes:
    return ((1, depth, 60, 60, 1), (1, depth, 60, 60, 1)), (1, depth, 60, 60, 1)


def _doubled(*more: tuple[int, ...]) -> Callable[[int], Shapes]:
    return lambda depth: (((1, depth, 60, 60, 1), *more), (1, 2 * depth, 120, 120, 1))


DEEP, HALF, EIGHTH = 640_000, 320_000, 80_000  # of 60 x 60 voxels: 2.3e9, 1.15e9 and 2.9e8 values
UNIT, EDGE = (1, 1, 1), (0, 0, 0)
NOTHING = (LINEAR, 0.0, 0.0)
WINDOW = (1, 1, 1, 1, 1, 1, 1, 1, 1)  # strides, paddings, dilations
DOUBLING = (2, 2, 2, 0, 0, 0, 1, 1, 1, *NOTHING)
STATISTICS = ((2,),) * 4
PLAINLY = (1, 1e-3, 1, Divisor.ROOT, *NOTHING)  # one group, epsilon, centered

LARGE = (
    Large("conv3d", "direct", DEEP, _same(1, (3, 3, 3, 1, 1), NO, NO), (*WINDOW, 1, *NOTHING)),
    Large("conv3d", "direct", HALF, _same(2, (1, 1, 1, 2, 2), (2,), NO), (*UNIT, *EDGE, *UNIT, 1, *NOTHING)),
    Large("conv3d", "dots", DEEP, _same(1, (1, 1, 1, 1, 1), (1,), NO), (*UNIT, *EDGE, *UNIT, 1, *NOTHING)),
    Large("conv3d", "winograd", DEEP, _same(1, (3, 3, 3, 1, 1), (1,), NO), (*WINDOW, 1, *NOTHING)),
    Large("conv3d", "winograd", HALF, _same(2, (1, 3, 3, 2, 2), NO, NO), (*UNIT, 0, 1, 1, *UNIT, 1, *NOTHING)),
    Large("conv3d_transpose", "product", EIGHTH, _doubled((2, 2, 2, 1, 1), (1,)), DOUBLING),
    Large("conv3d_transpose", "phases", EIGHTH, _doubled((3, 3, 3, 1, 1), NO), DOUBLING),
    Large(
        "dense", "tiles", 3600 * DEEP, lambda rows: (((rows, 1), (1, 1), (1,)), (rows, 1)), NOTHING, axis=0, first=0
    ),
    Large("dense", "rows", 3600 * HALF, lambda filters: (((1, 2), (2, filters), NO), (1, filters)), NOTHING),
    Large("matmul", "tiles", HALF, lambda n: (((n, 90, 80), (n, 80, 90)), (n, 90, 90)), axis=0, first=0),
    *(Large(f"{kind}_pool3d", "rows", DEEP, _same(), (3, 3, 3, 1, 1, 1, 1, 1, 1)) for kind in ("max", "average")),
    Large("relu", "flat", DEEP, _same(), (0.0, math.inf)),
    Large("add", "map", DEEP, _twice),
    Large("multiply", "repeated", HALF, _same(2, (2,))),
    Large("add", "map", DEEP, lambda depth: (((1, depth, 60, 60, 1), (60, 1, 1)), (1, depth, 60, 60, 1))),
    Large("prelu", "repeated", HALF, _same(2, (2,))),
    Large("batch_normalization", "affine", HALF, _same(2, *STATISTICS), (1e-3, 4, *NOTHING)),
    Large(
        "batch_normalization", "affine", HALF,
        lambda depth: (((1, 2, depth, 60, 60), *STATISTICS), (1, 2, depth, 60, 60)), (1e-3, 1, *NOTHING), axis=2,
        first=2,
    ),
    Large("normalization", "volumes", DEEP, _same(1, (1,), (1,)), (2, *PLAINLY)),
    Large("normalization", "runs", HALF, _same(2, (2,), (2,)), (4, *PLAINLY)),
    *(Large("softmax", "blocks", HALF, _same(channels), (4,)) for channels in (2, 3, 9)),
    Large(
        "concatenate", "copies", HALF,
        lambda depth: (((1, depth, 60, 60, 1), (1, depth, 60, 60, 1)), (1, depth, 60, 60, 2)), (4,),
    ),
    Large("upsample3d", "copies", EIGHTH, _doubled(), (2, 2, 2)),
    Large("upsample3d_linear", "rows", EIGHTH, _doubled(), (2, 2, 2)),
    Large("pad3d", "rows", DEEP, lambda depth: (((1, depth, 60, 60, 1),), (1, depth, 61, 62, 1)), (0, 1, 1)),
    Large("crop3d", "rows", DEEP, lambda depth: (((1, depth, 60, 60, 1),), (1, depth, 59, 59, 1)), (0, 1, 1)),
    Large(
        "transpose", "strided", HALF,
        lambda depth: (((1, depth, 60, 60, 2),), (1, 2, depth, 60, 60)), ((0, 4, 1, 2, 3),), axis=2,
    ),
    Large("sum", "chunks", DEEP, lambda depth: (((1, depth, 60, 60, 1),), (1, depth)), ((2, 3, 4),)),
)  # fmt: skip


def _reserved(shape: tuple[int, ...]) -> np.ndarray:
    """Zeros that take no memory until they are written."""
    if sys.platform != "linux":
        pytest.skip("reserves memory as Linux does")
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE
    try:
        memory = mmap.mmap(-1, math.prod(shape) * 4, flags=flags)
    except OSError:
        pytest.skip("this process may not reserve 9 GB")
    return np.frombuffer(memory, np.float32).reshape(shape)


def _last_tasks(task, words, numbers, tasks, workers=None):
    """Stands in for ``launch``."""
    for index in range(max(tasks - TASKS, 0), tasks):
        TASK(task)(words.ctypes.data, numbers.ctypes.data, index, 0)


def _last(axis: int, count: int) -> tuple[slice, ...]:
    return (*[slice(None)] * axis, slice(-count, None))


def _implementation(op, kernel):
    return next(implementation for implementation in table.implementations(op) if implementation.name == kernel)


def _compute(monkeypatch, case, kernel, inputs, out):
    implementation = _implementation(case.op, kernel)
    assert implementation.accepts(case) is None
    for name, module in list(sys.modules.items()):
        if name.startswith("nb3d.kernels.cpu.") and getattr(module, "launch", None) is launch:
            monkeypatch.setattr(module, "launch", _last_tasks)
    scratch = np.zeros(implementation.scratch(case, 2), np.uint8)
    implementation.load(case)(*implementation.prepare(case, inputs), out, scratch, *case.params)


@pytest.mark.parametrize("large", LARGE, ids=lambda large: f"{large.op}:{large.kernel}:{large.depth}")
def test_the_end_of_a_large_volume(large, monkeypatch):
    rng, case, small = np.random.default_rng(0), large.case(large.depth), large.case(FEW)
    assert max(map(math.prod, (*case.inputs, case.out))) > BEYOND
    end, planes = _last(large.first, FEW), _last(large.axis, END)
    inputs, few = [], []
    for shape, weights in zip(case.inputs, case.constant, strict=True):
        if weights:
            array = rng.uniform(0.5, 1.5, shape if shape != NO else (0,)).astype(np.float32)
        else:
            array = _reserved(shape)
            array[end] = rng.standard_normal(array[end].shape)
        inputs.append(array)
        few.append(array if weights else np.ascontiguousarray(array[end]))
    out, expected = _reserved(case.out), np.empty(small.out, np.float32)
    out[planes] = np.nan
    table.implementations(case.op)[-1].load(small)(*few, expected, np.empty(0, np.uint8), *small.params)
    _compute(monkeypatch, case, large.kernel, tuple(inputs), out)
    found, expected = out[planes], expected[planes]
    written = ~np.isnan(found)
    assert written.reshape(-1)[-1]
    assert written.sum() >= END
    np.testing.assert_allclose(found[written], expected[written], rtol=0.0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(("op", "result"), [("sum", 10.0), ("mean", 10.0 / (DEEP * 3600)), ("max", 7.0), ("min", 0.0)])
def test_a_reduction_of_a_large_volume(op, result, monkeypatch):
    """Chunks that were not reduced have the sum of their zeros in the scratch."""
    x, out = _reserved((1, DEEP, 60, 60, 1)), np.full((1, 1), np.nan, np.float32)
    x[0, -1, -1, -1, 0], x[0, -1, -1, 0, 0] = 7.0, 3.0
    case = Case(op, (x.shape,), ("float32",), out.shape, "float32", ((1, 2, 3),))
    _compute(monkeypatch, case, "chunks", (x,), out)
    assert out.item() == np.float32(result)


def test_statistics_of_a_large_volume(monkeypatch):
    """Stretches that were not read have the moments of their zeros in the scratch."""
    x, out = _reserved((1, DEEP, 60, 60, 1)), _reserved((1, DEEP, 60, 60, 1))
    x[0, -1, -1, -1, 0] = 1e6
    absent = np.empty(0, np.float32)
    case = Case("normalization", (x.shape, NO, NO), ("float32",) * 3, x.shape, "float32", (1, *PLAINLY))
    _compute(monkeypatch, case, "volumes", (x, absent, absent), out)
    mean = 1e6 / x.size
    deviation = math.sqrt((1e6 - mean) ** 2 / x.size + 1e-3)
    np.testing.assert_allclose(out[0, -1, -1, -2:, 0], [-mean / deviation, (1e6 - mean) / deviation], rtol=1e-5)


def test_every_compiled_kernel_is_here():
    """At least one operation of every module: those of one module share their offsets."""
    here = {_implementation(large.op, large.kernel).load.__module__ for large in LARGE}
    everywhere = {kernel.load.__module__ for op in table.operations() for kernel in table.implementations(op)}
    assert {module for module in everywhere - here if ".reference." not in module} == set()
