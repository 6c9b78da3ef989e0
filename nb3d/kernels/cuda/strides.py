"""Laying out a map over strided operands: which axes can be merged, how it is divided over the grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nb3d.kernels.case import Case, Shape
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program, program

DTYPES = ("float32", "float64", "int32", "int64", "uint8", "bool")
THREADS = 256
AXES = 7
MOST = 2**31 - THREADS  # positions of a run: the last block may reach beyond


@dataclass(frozen=True)
class Walk:
    """How one operand is walked: strides and offset in values."""

    strides: tuple[int, ...]
    offset: int = 0


def contiguous(shape: Shape) -> tuple[int, ...]:
    """Returns the strides of a C-contiguous array, in values."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def strides_of(shape: Shape, pitch: int) -> tuple[int, ...]:
    """Returns the strides of an array that may be a slice of channels, ``pitch`` values from one voxel to the next."""
    voxels = contiguous((*shape[:-1], 1)) if shape else ()
    return (*(stride * pitch for stride in voxels[:-1]), 1) if shape else ()


def broadcast(shape: Shape, out: Shape, pitch: int | None = None) -> Walk:
    """Returns how an operand is walked that is repeated as NumPy repeats it; for the pitch see ``strides_of``."""
    own = contiguous(shape) if pitch is None else strides_of(shape, pitch)
    lead = len(out) - len(shape)
    return Walk((0,) * lead + tuple(0 if size == 1 else stride for size, stride in zip(shape, own, strict=True)))


def merged(sizes: Shape, walks: Sequence[Walk]) -> tuple[Shape, tuple[Walk, ...]]:
    """Returns the same walk with as few axes as it can have: those of one value vanish, neighbours become one."""
    axes: list[tuple[int, tuple[int, ...]]] = []
    for axis, size in enumerate(sizes):
        strides = tuple(walk.strides[axis] for walk in walks)
        if size == 1:
            continue
        if axes:
            before, outer = axes[-1]
            follows = all(stride * size == o for stride, o in zip(strides, outer, strict=True))
            if follows and (len(axes) == 1 or before * size <= MOST):
                axes[-1] = (before * size, strides)
                continue
        axes.append((size, strides))
    axes = axes or [(1, (0,) * len(walks))]
    return tuple(size for size, _ in axes), tuple(
        Walk(tuple(strides[number] for _, strides in axes), walk.offset) for number, walk in enumerate(walks)
    )


def why_no_dtype(case: Case) -> str | None:
    """Returns why a map cannot take the dtypes of a case."""
    foreign = sorted({*case.dtypes, case.out_dtype} - {*DTYPES})
    return f"takes {', '.join(DTYPES)}, got {', '.join(foreign)}" if foreign else None


def kind_of(dtype: str) -> str:
    """Returns the type that stands for a dtype inside kernels: truth values are bytes."""
    return "uint8" if dtype == "bool" else dtype


def flat(array: Array, kind: str) -> Array:
    """Returns an array as the kernels see it: one axis, no truth values."""
    return Array(array.address, (array.size,), np.dtype(kind), array.owner)


def map_program(op: str, dtypes: Sequence[str], out_dtype: str, axes: int) -> Program:
    """Returns the program that applies ``op`` to operands of these dtypes, walked along ``axes`` axes."""
    kinds = [kind_of(dtype) for dtype in dtypes]
    fill = kinds[0] if kinds else kind_of(out_dtype)
    arrays = (*kinds, *(fill,) * (4 - len(kinds)), kind_of(out_dtype))
    numbers = fill if fill.startswith("float") else "float64" if op != "fill" else fill
    arguments = (
        *(f"{kind}[]" for kind in arrays), "int32", "int32", *("int32",) * AXES, *("int64",) * 5 * (AXES + 1),
        numbers, numbers,
    )  # fmt: skip
    return program("strided", arguments, THREADS, op=op, operands=len(dtypes), axes=axes, dtype=fill)


def apply_map(
    op: str, sizes: Shape, operands: Sequence[tuple[Array, Walk]], out: Array, into: Walk,
    alpha: float = 0.0, beta: float = 0.0,
) -> None:  # fmt: skip
    """Launches ``op`` over ``sizes`` values.

    Raises:
        ValueError: If the walk has too many axes that cannot be merged.
    """
    if 0 in sizes:
        return
    shape, walks = merged(sizes, [*(walk for _, walk in operands), into])
    if len(shape) > AXES:
        raise ValueError(f"{op}: the walk over {sizes} has {len(shape)} axes, more than {AXES}.")
    rest = math.prod(shape[1:])
    lead = min(shape[0], max(1, MOST // rest))
    item = map_program(op, [array.dtype.name for array, _ in operands], out.dtype.name, len(shape))
    kinds = [kind.removesuffix("[]") for kind in item.arguments[:5]]
    absent = [Array(0, (0,), np.dtype(kind)) for kind in kinds[len(operands) : 4]]
    arrays = [flat(array, kind) for (array, _), kind in zip(operands, kinds, strict=False)]
    still = Walk((0,) * len(shape))
    walked = [*walks[:-1], *(still,) * (4 - len(operands)), walks[-1]]
    padding = (0,) * (AXES - len(shape))
    numbers = [number for walk in walked for number in (*walk.strides, *padding, walk.offset)]
    number = np.dtype(item.arguments[-1]).type
    launch(
        item, (-(-lead * rest // THREADS), -(-shape[0] // lead)), *arrays, *absent, flat(out, kinds[4]), lead * rest,
        lead, *shape, *(1,) * (AXES - len(shape)), *numbers, number(alpha).item(),
        number(beta).item(),
    )  # fmt: skip
