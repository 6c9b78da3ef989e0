"""Pooling of volumes: the largest or the mean voxel of each window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.convolution import check_padding, in_channels_last, padding_before
from nb3d.ops.operation import operation
from nb3d.ops.shapes import SPATIAL_AXES, check_rank, triple, window_output_length

_NO_DILATION = (1, 1, 1)


def _pool_spec(
    x: TensorSpec, window: tuple[int, int, int], strides: tuple[int, int, int], padding: str
) -> TensorSpec:
    check_rank(x, 5, "pooling input")
    sizes = tuple(map(window_output_length, x.shape[1:4], window, strides, [padding] * 3))
    for size, length, axis in zip(x.shape[1:4], sizes, SPATIAL_AXES, strict=True):
        if length is not None and length <= 0:
            raise ValueError(f"pooling: the {axis} of the input, {size}, is too small for a window of {window}")
    return TensorSpec((x.shape[0], *sizes, x.shape[4]), x.dtype)


def _pool_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    window, strides = attrs["window"], attrs["strides"]
    before = padding_before(inputs[0].shape[1:4], window, strides, attrs["padding"], _NO_DILATION)
    return (*window, *strides, *before)


MAX_POOL3D = Op("max_pool3d", _pool_spec, _pool_params)
AVERAGE_POOL3D = Op("average_pool3d", _pool_spec, _pool_params)


def _pool(op: Op, x: Any, pool_size: Any, strides: Any, padding: str, data_format: str) -> Any:
    window = triple(pool_size, "pool_size")
    attrs = {
        "window": window,
        "strides": window if strides is None else triple(strides, "strides"),
        "padding": check_padding(padding),
    }
    return in_channels_last(lambda volume: apply(op, volume, **attrs), x, data_format)


@operation("MaxPool")
def max_pool3d(
    x: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str = "channels_last"
) -> Any:
    """The largest voxel of each window; NaN where one is NaN.

    Args:
        x: Volumes, ``(batch, depth, height, width, channels)``, or channels second with ``'channels_first'``.
        pool_size: Size of the window; one or three integers.
        strides: Voxels between two windows; the size of the window where absent.
        padding: ``'valid'`` or ``'same'``.
        data_format: ``'channels_last'`` or ``'channels_first'``.
    """
    return _pool(MAX_POOL3D, x, pool_size, strides, padding, data_format)


@operation("AveragePool")
def average_pool3d(
    x: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str = "channels_last"
) -> Any:
    """The mean voxel of each window, padding left out of the count; arguments as for `max_pool3d`."""
    return _pool(AVERAGE_POOL3D, x, pool_size, strides, padding, data_format)
