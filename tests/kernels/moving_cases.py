"""The part of the table of cases that is about values put in another order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from tests.kernels.example import F32, F64, Example, plain


def transposed(shape, axes, dtype=F32, **more) -> Example:
    """A transpose."""
    return plain("transpose", (shape,), tuple(shape[axis] for axis in axes), (axes,), dtype, **more)


def sliced(shape, starts, steps, out, dtype=F32, **more) -> Example:
    """A slice."""
    return plain("slice", (shape,), out, (starts, steps), dtype, **more)


def movements() -> Iterator[Example]:
    for axes in permutations(range(4)):
        yield transposed((2, 3, 4, 5), axes, F64)
        yield transposed((3, 1, 4, 2), axes, "bool")
    for dtype in ("float16", "int64", "int32"):
        yield transposed((2, 3, 4, 5, 6), (0, 3, 1, 4, 2), dtype)
    yield transposed((2, 30, 40, 9, 32), (0, 3, 2, 1, 4), note="medium, runs")
    yield transposed((2, 30, 40, 9, 32), (0, 3, 4, 2, 1), note="medium, tiles")
    yield transposed((3, 80, 5, 90), (3, 2, 1, 0), note="medium, turned")
    for dtype in (F32, "int64", "bool"):
        yield sliced((9, 8), (0, 2), (1, 1), (9, 5), dtype)
        yield sliced((9, 8), (1, 7), (2, -3), (4, 3), dtype)
        yield sliced((4, 5, 6, 7), (0, 4, 0, 6), (1, -1, 1, -1), (4, 5, 6, 7), dtype)
        yield sliced((4, 5, 6, 7), (1, 0, 2, 0), (1, 1, 1, 1), (2, 5, 3, 7), dtype)
        yield sliced((4, 5, 6, 7), (3, 0, 0, 3), (1, 2, 1, 1), (1, 3, 6, 1), dtype)
    yield sliced((2, 40, 41, 42, 16), (0, 0, 0, 0, 8), (1, 1, 1, 1, 1), (2, 40, 41, 42, 8), note="medium, channels")
    yield sliced((2, 40, 41, 42, 6), (0, 39, 0, 0, 0), (1, -1, 2, 1, 1), (2, 40, 21, 42, 6), note="medium, flipped")
    yield sliced((3,), (1,), (1,), (0,))
    repeated = {(): (2, 3), (3, 1): (2, 3, 4), (2, 1, 4, 1): (2, 3, 4, 5), (6,): (4, 6), (4, 1): (4, 6)}
    for shape, out in repeated.items():
        yield plain("broadcast_to", (shape,), out)
        yield plain("broadcast_to", (shape,), out, dtypes="int32")
    yield plain("broadcast_to", ((1, 40, 1, 1, 24),), (2, 40, 30, 20, 24), note="medium")
