"""Operations that repeat, add or cut voxels along the spatial axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply, as_dtype
from nb3d.ops.dtypes import float_dtype
from nb3d.ops.operation import operation
from nb3d.ops.shapes import check_rank, integer, integers
from nb3d.ops.volumes import check_spatial, filled, in_volume, spatial_sizes

Margins = tuple[tuple[int, int], ...]


def margins(value: Any, name: str, rank: int = 3) -> Margins:
    """Pairs of voxels, before and after each axis, from an integer, one per axis, or a pair per axis.

    Raises:
        ValueError: If `value` is none of those, or has a negative entry.
    """
    message = (
        f"The `{name}` argument must be an integer, {rank} integers or {rank} pairs of integers >= 0. "
        f"Received: {value!r}"
    )
    try:
        items = [value] * rank if isinstance(value, int) else list(value)
        pairs = [(item, item) if isinstance(item, int) else tuple(item) for item in items]
        voxels = [tuple(map(integer, pair)) for pair in pairs]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(message) from None
    if len(voxels) != rank or any(len(pair) != 2 or min(pair) < 0 for pair in voxels):
        raise ValueError(message)
    return tuple((before, after) for before, after in voxels)


def _spatial_spec(what: str, length: Callable[[int, Any], int]) -> Callable[..., TensorSpec]:
    """A shape rule that applies `length` to every known spatial size."""

    def rule(x: TensorSpec, amount: tuple[Any, Any, Any]) -> TensorSpec:
        check_rank(x, 5, f"{what} input")
        sizes = [None if n is None else length(n, a) for n, a in zip(x.shape[1:4], amount, strict=True)]
        for (axis, before), after in zip(spatial_sizes(x), sizes, strict=True):
            if after is not None and after <= 0:
                raise ValueError(f"{what}: nothing is left of the {axis} of the input, {before}")
        return TensorSpec((x.shape[0], *sizes, x.shape[4]), x.dtype)

    return rule


def _amount(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(attrs["amount"])


def _before(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(pair[0] for pair in attrs["amount"])


UPSAMPLE3D = Op("upsample3d", _spatial_spec("upsample3d", lambda size, factor: size * factor), _amount)
UPSAMPLE3D_LINEAR = Op("upsample3d_linear", UPSAMPLE3D.infer, _amount)
PAD3D = Op("pad3d", _spatial_spec("pad3d", lambda size, pair: size + sum(pair)), _before)
CROP3D = Op("crop3d", _spatial_spec("crop3d", lambda size, pair: size - sum(pair)), _before)


@operation("UpSample")
def upsample(x: Any, size: Any = 2, data_format: str = "channels_last", interpolation: str = "nearest") -> Any:
    """More voxels along the spatial axes.

    Args:
        x: Tensor of rank 3, 4 or 5: ``(batch, ..., channels)``, or channels second with ``'channels_first'``.
        size: Factor; one integer, or one per spatial axis.
        data_format: ``'channels_last'`` or ``'channels_first'``.
        interpolation: ``'nearest'``: every voxel is repeated. ``'linear'``: straight lines between the centres of
            voxels, half a voxel from the border, as TensorFlow and PyTorch (``align_corners=False``) have it.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import numpy as np
        >>> from nb3d import ops
        >>> x = np.array([0.0, 4.0], "float32").reshape(1, 1, 1, 2, 1)
        >>> ops.upsample(x, (1, 1, 2), interpolation="linear").ravel()
        array([0., 1., 3., 4.], dtype=float32)
    """
    factors = filled(integers(size, "size", check_spatial(x, "upsample")), 1)
    if interpolation not in ("nearest", "linear"):
        raise ValueError(f"The `interpolation` argument must be 'nearest' or 'linear'. Received: {interpolation!r}")
    if interpolation == "nearest":
        return in_volume(lambda volume: apply(UPSAMPLE3D, volume, amount=factors), x, data_format)
    x = as_dtype(x, float_dtype(str(getattr(x, "dtype", "float32"))))
    return in_volume(lambda volume: apply(UPSAMPLE3D_LINEAR, volume, amount=factors), x, data_format)


@operation("ZeroPad")
def zero_pad(x: Any, padding: Any = 1, data_format: str = "channels_last") -> Any:
    """Zeros before and after the spatial axes.

    Args:
        x: Tensor of rank 3, 4 or 5: ``(batch, ..., channels)``, or channels second with ``'channels_first'``.
        padding: Voxels: one integer, one per spatial axis, or a pair ``(before, after)`` per spatial axis.
        data_format: ``'channels_last'`` or ``'channels_first'``.
    """
    amount = filled(margins(padding, "padding", check_spatial(x, "zero_pad")), (0, 0))
    return in_volume(lambda volume: apply(PAD3D, volume, amount=amount), x, data_format)


@operation("Crop")
def crop(x: Any, cropping: Any = 1, data_format: str = "channels_last") -> Any:
    """Voxels cut before and after the spatial axes; arguments as for `zero_pad`."""
    amount = filled(margins(cropping, "cropping", check_spatial(x, "crop")), (0, 0))
    return in_volume(lambda volume: apply(CROP3D, volume, amount=amount), x, data_format)
