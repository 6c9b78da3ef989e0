"""The large cases of the table: only timed, by the benchmarks. See ``cases.py``."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tests.kernels.cases import RELU, Example, conv, plain, pool, transposed


def benchmarks() -> Iterator[Example]:
    large = {"benchmark": True}
    yield conv((64, 64, 64), 32, 32, **large)
    yield conv((32, 32, 32), 64, 64, **large)
    yield conv((16, 16, 16), 128, 128, **large)
    yield conv((16, 56, 56), 64, 128, **large)
    yield conv((8, 8, 8), 256, 256, **large)
    yield conv((4, 4, 4), 512, 512, **large)
    yield conv((96, 96, 96), 16, 16, **large)
    yield conv((128, 128, 128), 8, 16, **large)
    yield conv((64, 64, 64), 32, 32, kernel=(1, 3, 3), **large)
    yield conv((64, 64, 64), 32, 32, kernel=(3, 1, 1), **large)
    yield conv((64, 64, 64), 32, 32, kernel=(3, 3, 1), **large)
    yield conv((32, 32, 32), 32, 32, kernel=(5, 5, 5), **large)
    yield conv((64, 64, 64), 8, 8, note="few filters", **large)
    yield conv((64, 64, 64), 1, 32, note="stem", **large)
    yield conv((64, 64, 64), 3, 32, kernel=(7, 7, 7), strides=(2, 2, 2), note="stem", **large)
    yield conv((64, 64, 64), 32, 64, strides=(2, 2, 2), note="strided", **large)
    yield conv((64, 64, 64), 64, 32, kernel=(1, 1, 1), note="pointwise", **large)
    yield conv((64, 64, 64), 32, 3, kernel=(1, 1, 1), note="few filters", **large)
    yield conv((64, 64, 64), 32, 32, groups=32, note="depthwise", **large)
    yield conv((32, 32, 32), 64, 64, groups=8, note="grouped", **large)
    yield conv((32, 32, 32), 64, 64, groups=32, note="grouped", **large)
    yield conv((32, 32, 32), 32, 32, dilations=(2, 2, 2), note="dilated", **large)
    yield transposed((32, 32, 32), 64, 32, **large)
    yield transposed((32, 32, 32), 16, 8, **large)
    yield transposed((32, 32, 32), 64, 32, kernel=(3, 3, 3), out=(64, 64, 64), **large)
    yield pool("max_pool3d", (64, 64, 64), 32, **large)
    yield pool("average_pool3d", (64, 64, 64), 32, **large)
    shape = (1, 64, 64, 64, 32)
    yield plain("relu", (shape,), shape, (0.0, math.inf), **large)
    yield plain("gelu", (shape,), shape, (0.0, 0.0), **large)
    yield plain("add", (shape, shape), shape, **large)
    statistics = ((32,),) * 4
    yield plain("batch_normalization", (shape, *statistics), shape, (1e-3, 4), values="positive", **large)
    yield plain("softmax", ((1, 64, 64, 64, 4),), (1, 64, 64, 64, 4), (4,), **large)
    yield plain("upsample3d", ((1, 32, 32, 32, 32),), shape, (2, 2, 2), **large)
    yield plain("concatenate", (shape, shape), (1, 64, 64, 64, 64), (4,), **large)
    yield plain("dense", ((1, 8192), (8192, 1024), (1024,)), (1, 1024), (RELU, 0.0, math.inf), length=8192, **large)


BENCHMARKS: tuple[Example, ...] = tuple(benchmarks())
