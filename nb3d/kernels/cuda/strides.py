"""Laying out a map over strided operands: which axes can be merged, how it is divided over the grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nb3d.kernels import walks as walks_of
from nb3d.kernels.case import Case, Shape
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.walks import Strides

DTYPES = ("float32", "float64", "int32", "int64", "uint8", "bool")
THREADS = 256
AXES = 7
MOST = 2**31 - THREADS  # positions of a run: the last block may reach beyond


@dataclass(frozen=True)
class Walk:
    """How one operand is walked: strides and offset in values."""

    strides: Strides
    offset: int = 0


def merged(sizes: Shape, walks: Sequence[Walk]) -> tuple[Shape, tuple[Walk, ...]]:
    """Returns the same walks with as few axes as they can have, and can be counted in 32 bits."""
    shape, strides = walks_of.merged(sizes, [walk.strides for walk in walks], MOST)
    return shape, tuple(Walk(own, walk.offset) for own, walk in zip(strides, walks, strict=True))


def why_no_dtype(case: Case) -> str | None:
    """Returns why a map cannot take the dtypes of a case."""
    foreign = sorted({*case.dtypes, case.out_dtype} - {*DTYPES})
    return f"takes {', '.join(DTYPES)}, got {', '.join(foreign)}" if foreign else None


def kind_of(dtype: str) -> str:
    """Returns the type that stands for a dtype inside kernels: truth values are bytes."""
    return "uint8" if dtype == "bool" else dtype


def flat(array: Array) -> Array:
    """Returns an array as the kernels see it: one axis, no truth values."""
    return Array(array.address, (array.size,), np.dtype(kind_of(array.dtype.name)), array.owner)


def _number(op: str, dtypes: Sequence[str], out_dtype: str) -> str:
    """The type of the two numbers: that of floats, or of what is filled."""
    kind = kind_of(dtypes[0] if dtypes else out_dtype)
    return kind if kind.startswith("float") or op == "fill" else "float64"


def map_program(op: str, dtypes: Sequence[str], out_dtype: str, axes: int) -> Program:
    """Returns the program that applies ``op`` to operands of these dtypes, walked along ``axes`` axes."""
    kinds, out = tuple(kind_of(dtype) for dtype in dtypes), kind_of(out_dtype)
    fill, number = kinds[0] if kinds else out, _number(op, dtypes, out_dtype)
    walk = ("int64",) * (axes + 1)
    arguments = (
        tuple(f"{kind}[]" for kind in kinds), f"{out}[]", "int32", "int32", ("int32",) * axes, (walk,) * len(kinds),
        walk, number, number,
    )  # fmt: skip
    return program("strided", arguments, THREADS, op=op, axes=axes, operands=len(kinds), dtype=fill)


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
    number = np.dtype(_number(op, [array.dtype.name for array, _ in operands], out.dtype.name)).type
    *numbers, target = ((*walk.strides, walk.offset) for walk in walks)
    launch(
        item, (-(-lead * rest // THREADS), -(-shape[0] // lead)), tuple(flat(array) for array, _ in operands),
        flat(out), lead * rest, lead, shape, tuple(numbers), target, number(alpha).item(), number(beta).item(),
    )  # fmt: skip
