"""The part of the table of cases that is about normalizations and softmax."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nb3d.kernels.divisors import Divisor
from tests.kernels.example import BARE, F32, F64, NO, RELU, Example, plain


def normalizations() -> Iterator[Example]:
    shape = (2, 3, 4, 5, 6)
    relu = (RELU, 0.1, math.inf)
    for axis in (4, 1, 3):
        for offset, scale in ((True, True), (False, True), (True, False), (False, False)):
            c = (shape[axis],)
            shapes = (shape, c, c, c if offset else NO, c if scale else NO)
            yield plain("batch_normalization", shapes, shape, (1e-3, axis, *BARE), values="positive")
    c = (6,)
    yield plain("batch_normalization", (shape, c, c, c, c), shape, (1e-3, 4, *BARE), F64, values="positive")
    yield plain("batch_normalization", (shape, c, c, c, c), shape, (1e-3, 4, *relu), values="special")
    c = (20,)
    for axis, large in ((3, (8, 50, 50, 20)), (1, (8, 20, 50, 50))):
        yield plain("batch_normalization", (large, c, c, c, c), large, (1e-3, axis, *relu), values="positive")
    for op in ("softmax", "log_softmax", "sparsemax"):
        yield plain(op, (shape,), shape, (4,))
        yield plain(op, (shape,), shape, (1,))
        yield plain(op, ((7, 1),), (7, 1), (-1,))
        for channels in (2, 3, 4, 9, 16):
            yield plain(op, ((40, channels),), (40, channels), (1,), values="special")
            yield plain(op, ((40, channels),), (40, channels), (1,), F64)
        yield plain(op, ((50_000, 4),), (50_000, 4), (1,), note="medium")


def normalization(shape, first, groups=1, epsilon=1e-3, centered=1, divisor=Divisor.ROOT, offset=True, scale=True,
                  epilogue=BARE, dtype=F32, note="", **more) -> Example:  # fmt: skip
    """Statistics over the axes from ``first`` on; deviations of a few values may be small, and outputs large."""
    c = (shape[-1],)
    params = (first, groups, epsilon, centered, int(divisor), *epilogue)
    length = math.prod(shape[first:]) // groups
    shapes = (shape, c if offset else NO, c if scale else NO)
    note = f"{offset}{scale} {note}"
    far = 1000 if more.get("values") == "far" and dtype == F64 else 1  # the reference computes in float64 itself
    length = far * min(length, 64)
    return plain("normalization", shapes, shape, params, dtype, note=note, length=length, **more)


def normalizations_of_themselves() -> Iterator[Example]:
    shape, relu = (2, 3, 4, 5, 6), (RELU, 0.1, math.inf)
    for first in (1, 2, 3, 4):
        for groups in (1, 3, 6):
            yield normalization(shape, first, groups)
            yield normalization(shape, first, groups, offset=False, scale=False, note="bare")
    for first in (1, 4):
        yield normalization(shape, first, 2, offset=False)
        yield normalization(shape, first, 2, scale=False, epilogue=relu)
        yield normalization(shape, first, 2, divisor=Divisor.DEVIATION)
        yield normalization(shape, first, centered=0, epsilon=1e-6, offset=False)
        yield normalization(shape, first, centered=0, epsilon=1e-12, divisor=Divisor.NORM, offset=False, scale=False)
        yield normalization(shape, first, 2, dtype=F64)
        yield normalization(shape, first, 2, values="special")
        yield normalization(shape, first, 2, values="special", centered=0)
        yield normalization((2, 3, 1, 1, 4), first, values="far", note="large mean")
        yield normalization((2, 30, 9, 7, 4), first, 4, values="far", note="large mean")
        yield normalization((2, 30, 9, 7, 4), first, 2, values="far", dtype=F64, note="large mean")
    yield normalization((1, 1, 1, 1, 1), 1, note="one value")
    yield normalization((2, 1, 1, 1, 3), 1, 3, note="one voxel")
    yield normalization((2, 9, 8, 7, 1), 1, note="one channel")
    yield normalization((3, 7), 1, note="vectors")
    yield normalization((3, 700), 1, 7, epilogue=relu, note="vectors")
    yield normalization((2, 3, 2, 300), 1, 100, note="many channels")
    yield normalization((1, 40, 41, 42, 3), 1, 3, note="medium")
    yield normalization((2, 24, 25, 26, 24), 1, 4, epilogue=relu, note="medium")
    yield normalization((3, 24, 25, 26, 20), 4, note="medium")
