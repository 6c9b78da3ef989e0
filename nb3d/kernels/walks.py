"""How operands are walked, as strides in values: repeated along axes, in another order, in as few axes as can be."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nb3d.kernels.case import Shape

Strides = tuple[int, ...]


def contiguous(shape: Shape) -> Strides:
    """Returns the strides of a C-contiguous array."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def pitched(shape: Shape, pitch: int) -> Strides:
    """Returns the strides of an array that may be a slice of channels, ``pitch`` values from one voxel to the next."""
    return (*(pitch * step for step in contiguous(shape[:-1])), 1) if shape else ()


def broadcast(shape: Shape, out: Shape, pitch: int | None = None) -> Strides:
    """Returns the strides of an array that is repeated as NumPy repeats it; for the pitch see ``pitched``."""
    own = contiguous(shape) if pitch is None else pitched(shape, pitch)
    return (0,) * (len(out) - len(shape)) + tuple(0 if n == 1 else step for n, step in zip(shape, own, strict=True))


def merged(sizes: Shape, walks: Sequence[Strides], most: int | None = None) -> tuple[Shape, tuple[Strides, ...]]:
    """Returns the same walks with as few axes as can be: those of one value vanish, neighbours become one.

    Args:
        sizes: How many values there are along each axis.
        walks: The strides of every operand along these axes.
        most: How long an axis behind the first one may become.

    Example:
        >>> from nb3d.kernels.walks import merged
        >>> merged((2, 3, 1, 4), [(12, 4, 4, 1), (0, 0, 0, 1)])
        ((6, 4), ((4, 1), (0, 1)))
    """
    axes: list[tuple[int, Strides]] = []
    for axis, size in enumerate(sizes):
        steps = tuple(walk[axis] for walk in walks)
        if size == 1:
            continue
        follows = axes and all(step * size == outer for step, outer in zip(steps, axes[-1][1], strict=True))
        if follows and (most is None or len(axes) == 1 or axes[-1][0] * size <= most):
            axes[-1] = (axes[-1][0] * size, steps)
        else:
            axes.append((size, steps))
    axes = axes or [(1, (0,) * len(walks))]
    strides = tuple(tuple(steps[number] for _, steps in axes) for number in range(len(walks)))
    return tuple(size for size, _ in axes), strides
