"""Operations that repeat, add or cut voxels along the spatial axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply, as_dtype
from nb3d.ops.convolution import in_channels_last
from nb3d.ops.dtypes import float_dtype
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
UPSAMPLE3D_LINEAR = Op("upsample3d_linear", UPSAMPLE3D.infer, _amount)
PAD3D = Op("pad3d", _spatial_spec("pad3d", lambda size, pair: size + sum(pair)), _before)
CROP3D = Op("crop3d", _spatial_spec("crop3d", lambda size, pair: size - sum(pair)), _before)


@operation("UpSample3D")
def upsample3d(
    x: Any, size: Any = 2, data_format: str = "channels_last", interpolation: str = "nearest"
) -> Any:
    """Volumes of more voxels along the spatial axes.

    Args:
        x: Volumes, ``(batch, depth, height, width, channels)``, or channels second with ``'channels_first'``.
        size: Factor; one or three integers.
        data_format: ``'channels_last'`` or ``'channels_first'``.
        interpolation: ``'nearest'``: every voxel is repeated. ``'linear'``: straight lines between the centres of
            voxels, half a voxel from the border, as TensorFlow and PyTorch (``align_corners=False``) have it.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import numpy as np
        >>> from nb3d import ops
        >>> x = np.array([0.0, 4.0], "float32").reshape(1, 1, 1, 2, 1)
        >>> ops.upsample3d(x, (1, 1, 2), interpolation="linear").ravel()
        array([0., 1., 3., 4.], dtype=float32)
    """
    factors = triple(size, "size")
    if interpolation not in ("nearest", "linear"):
        raise ValueError(f"The `interpolation` argument must be 'nearest' or 'linear'. Received: {interpolation!r}")
    if interpolation == "nearest":
        return in_channels_last(lambda volume: apply(UPSAMPLE3D, volume, amount=factors), x, data_format)
    x = as_dtype(x, float_dtype(str(getattr(x, "dtype", "float32"))))
    return in_channels_last(lambda volume: apply(UPSAMPLE3D_LINEAR, volume, amount=factors), x, data_format)


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
