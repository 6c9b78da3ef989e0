"""Operations that repeat, add or cut voxels along the spatial axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.convolution import in_channels_last
from nb3d.ops.operation import operation
from nb3d.ops.shapes import SPATIAL_AXES, check_rank, integer, triple

Margins = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def margins(value: Any, name: str) -> Margins:
    """Three pairs of voxels, before and after each axis, from an integer, three integers, or three pairs.

    Raises:
        ValueError: If `value` is none of those, or has a negative entry.
    """
    message = f"The `{name}` argument must be an integer, 3 integers or 3 pairs of integers >= 0. Received: {value!r}"
    try:
        items = [value] * 3 if isinstance(value, int) else list(value)
        pairs = [(item, item) if isinstance(item, int) else tuple(item) for item in items]
        voxels = [tuple(map(integer, pair)) for pair in pairs]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(message) from None
    if len(voxels) != 3 or any(len(pair) != 2 or min(pair) < 0 for pair in voxels):
        raise ValueError(message)
    (a, b), (c, d), (e, f) = voxels
    return (a, b), (c, d), (e, f)


def _spatial_spec(what: str, length: Callable[[int, Any], int]) -> Callable[..., TensorSpec]:
    """A shape rule that applies `length` to every known spatial size."""

    def rule(x: TensorSpec, amount: tuple[Any, Any, Any]) -> TensorSpec:
        check_rank(x, 5, f"{what} input")
        sizes = [None if n is None else length(n, a) for n, a in zip(x.shape[1:4], amount, strict=True)]
        for axis, before, after in zip(SPATIAL_AXES, x.shape[1:4], sizes, strict=True):
            if after is not None and after <= 0:
                raise ValueError(f"{what}: nothing is left of the {axis} of the input, {before}")
        return TensorSpec((x.shape[0], *sizes, x.shape[4]), x.dtype)

    return rule


def _amount(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(attrs["amount"])


def _before(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(pair[0] for pair in attrs["amount"])


UPSAMPLE3D = Op("upsample3d", _spatial_spec("upsample3d", lambda size, factor: size * factor), _amount)
PAD3D = Op("pad3d", _spatial_spec("pad3d", lambda size, pair: size + sum(pair)), _before)
CROP3D = Op("crop3d", _spatial_spec("crop3d", lambda size, pair: size - sum(pair)), _before)


@operation("UpSample3D")
def upsample3d(x: Any, size: Any = 2, data_format: str = "channels_last") -> Any:
    """Every voxel repeated along the spatial axes.

    Args:
        x: Volumes, ``(batch, depth, height, width, channels)``, or channels second with ``'channels_first'``.
        size: Factor; one or three integers.
        data_format: ``'channels_last'`` or ``'channels_first'``.
    """
    factors = triple(size, "size")
    return in_channels_last(lambda volume: apply(UPSAMPLE3D, volume, amount=factors), x, data_format)


@operation("Pad3D")
def pad3d(x: Any, padding: Any = 1, data_format: str = "channels_last") -> Any:
    """Zeros before and after the spatial axes.

    Args:
        x: Volumes, in either format.
        padding: Voxels: one integer, three, or three pairs ``(before, after)``.
        data_format: ``'channels_last'`` or ``'channels_first'``.
    """
    amount = margins(padding, "padding")
    return in_channels_last(lambda volume: apply(PAD3D, volume, amount=amount), x, data_format)


@operation("Crop3D")
def crop3d(x: Any, cropping: Any = 1, data_format: str = "channels_last") -> Any:
    """Voxels cut before and after the spatial axes; arguments as for `pad3d`."""
    amount = margins(cropping, "cropping")
    return in_channels_last(lambda volume: apply(CROP3D, volume, amount=amount), x, data_format)
