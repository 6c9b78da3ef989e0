"""Tensors of one, two or three spatial axes as channels-last volumes, the only thing that kernels see.

An image is a volume of depth 1, a sequence one of depth and height 1: ``(batch, 1, 1, steps, channels)``. The axis that
there always is stands last, where it is contiguous in memory. The unit axes cost nothing: the plan renames sizes, and
between two layers it drops them (`nb3d.plan.passes.sink_layouts`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nb3d.engine.tensor import TensorSpec
from nb3d.ops.shapes import SPATIAL_AXES
from nb3d.ops.shaping import channels_first_to_last, channels_last_to_first, with_axes

RANKS = (1, 2, 3)


def check_spatial(x: Any, what: str) -> int:
    """The number of spatial axes of `x`, those besides batch and channels.

    Raises:
        ValueError: If there are not one, two or three.
    """
    rank = len(x.shape) - 2
    if rank not in RANKS:
        raise ValueError(f"{what}: expected a tensor of rank 3, 4 or 5, got shape {tuple(x.shape)}")
    return rank


def in_volume(function: Callable[[Any], Any], x: Any, data_format: str) -> Any:
    """`function` of a channels-last volume, for `x` of one to three spatial axes in either format."""
    if data_format == "channels_first":
        return channels_last_to_first(in_volume(function, channels_first_to_last(x), "channels_last"))
    units = 5 - len(x.shape)
    if not units:
        return function(x)
    kept = ["keep"] * (len(x.shape) - 1)
    result = function(with_axes(x, ("keep", *["new"] * units, *kept)))
    return with_axes(result, ("keep", *["drop"] * units, *kept))


def kernel_of_volume(kernel: Any) -> Any:
    """A kernel with unit axes in front, for a window of three axes; the last two axes are channels."""
    units = 5 - len(kernel.shape)
    return with_axes(kernel, ("new",) * units + ("keep",) * len(kernel.shape)) if units else kernel


def filled(values: Sequence[Any], neutral: Any) -> tuple[Any, Any, Any]:
    """One value per axis of a volume, `neutral` for the unit axes."""
    first, second, third = (*[neutral] * (3 - len(values)), *values)
    return first, second, third


def spatial_sizes(volume: TensorSpec) -> list[tuple[str, int | None]]:
    """Name and size of the spatial axes of a volume, for messages."""
    return list(zip(SPATIAL_AXES, volume.shape[1:4], strict=True))
