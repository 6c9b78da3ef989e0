"""Offsets beyond 2**31 values and 2**33 bytes: over memory that is reserved, never filled."""

from __future__ import annotations

import math
import mmap
import sys

import numpy as np
import pytest

from nb3d.kernels import table
from nb3d.kernels.case import Case

NORESERVE = 0x4000  # of Linux; Python names it from 3.13 on
SIDE = 27_000
SHAPE = (1, 3, SIDE, SIDE, 1)  # 2.2e9 values, 8.7e9 bytes


@pytest.fixture(scope="module")
def volume():
    """Zeros, but for the last voxel."""
    if sys.platform != "linux":
        pytest.skip("reserves memory as Linux does")
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE
    try:
        memory = mmap.mmap(-1, math.prod(SHAPE) * 4, flags=flags)
    except OSError:
        pytest.skip("this process may not reserve 9 GB")
    array = np.frombuffer(memory, np.float32).reshape(SHAPE)
    array[0, 2, SIDE - 1, SIDE - 1, 0] = 5.0
    return array


def _compute(case, *inputs):
    implementation = table.select(case).implementation
    assert implementation.name != "reference"
    out = np.full(case.out, np.nan, np.float32)
    scratch = np.empty(implementation.scratch(case, 2), np.uint8)
    implementation.load(case)(*implementation.prepare(case, inputs), out, scratch, *case.params)
    return out


def test_convolution(volume):
    strides = (2, SIDE - 1, SIDE - 1)
    shapes = (SHAPE, (1, 1, 1, 1, 2), (0,), (0,))
    case = Case("conv3d", shapes, ("float32",) * 4, (1, 2, 2, 2, 2), "float32",
                (*strides, 0, 0, 0, 1, 1, 1, 1, 0, 0.0, 0.0))  # fmt: skip
    none = np.empty(0, np.float32)
    out = _compute(case, volume, np.array([2, 3], np.float32).reshape(1, 1, 1, 1, 2), none, none)
    assert out[0, 1, 1, 1].tolist() == [10, 15]
    assert out.sum() == 25


def test_pooling(volume):
    strides = (2, SIDE - 1, SIDE - 1)
    case = Case("max_pool3d", (SHAPE,), ("float32",), (1, 2, 2, 2, 1), "float32", (1, 1, 1, *strides, 0, 0, 0))
    out = _compute(case, volume)
    assert out[0, 1, 1, 1, 0] == 5
    assert out.sum() == 5
