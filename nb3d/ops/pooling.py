"""Pooling: the largest or the mean voxel of each window, over one to three spatial axes in either data format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.convolution import check_padding, padding_before
from nb3d.ops.operation import operation
from nb3d.ops.shapes import check_rank, integers, window_output_length
from nb3d.ops.volumes import check_spatial, filled, in_volume, spatial_sizes

_NO_DILATION = (1, 1, 1)


def _pool_spec(x: TensorSpec, window: tuple[int, int, int], strides: tuple[int, int, int], padding: str) -> TensorSpec:
    check_rank(x, 5, "pooling input")
    sizes = tuple(map(window_output_length, x.shape[1:4], window, strides, [padding] * 3))
    for (axis, size), length in zip(spatial_sizes(x), sizes, strict=True):
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
    rank = check_spatial(x, "pooling")
    window = integers(pool_size, "pool_size", rank)
    attrs = {
        "window": filled(window, 1),
        "strides": filled(window if strides is None else integers(strides, "strides", rank), 1),
        "padding": check_padding(padding),
    }
    return in_volume(lambda volume: apply(op, volume, **attrs), x, data_format)


@operation("MaxPool")
def max_pool(
    x: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str = "channels_last"
) -> Any:
    """The largest voxel of each window; NaN where one is NaN.

    Args:
        x: Tensor of rank 3, 4 or 5: ``(batch, ..., channels)``, or channels second with ``'channels_first'``.
        pool_size: Size of the window; one integer, or one per spatial axis.
        strides: Voxels between two windows; the size of the window where absent.
        padding: ``'valid'`` or ``'same'``.
        data_format: ``'channels_last'`` or ``'channels_first'``.
    """
    return _pool(MAX_POOL3D, x, pool_size, strides, padding, data_format)


@operation("AveragePool")
def average_pool(
    x: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str = "channels_last"
) -> Any:
    """The mean voxel of each window, padding left out of the count; arguments as for `max_pool`."""
    return _pool(AVERAGE_POOL3D, x, pool_size, strides, padding, data_format)


def _adaptive_spec(x: TensorSpec, sizes: tuple[int, int, int]) -> TensorSpec:
    check_rank(x, 5, "adaptive pooling input")
    return TensorSpec((x.shape[0], *sizes, x.shape[4]), x.dtype)


ADAPTIVE_MAX_POOL3D = Op("adaptive_max_pool3d", _adaptive_spec)
ADAPTIVE_AVERAGE_POOL3D = Op("adaptive_average_pool3d", _adaptive_spec)


def _adaptive_pool(op: Op, x: Any, output_size: Any, data_format: str) -> Any:
    sizes = filled(integers(output_size, "output_size", check_spatial(x, "adaptive pooling")), 1)
    return in_volume(lambda volume: apply(op, volume, sizes=sizes), x, data_format)


@operation("AdaptiveMaxPool")
def adaptive_max_pool(x: Any, output_size: Any, data_format: str = "channels_last") -> Any:
    """The largest voxel of each of `output_size` windows, which cover the input as evenly as they can.

    Window `i` of `n` reaches from ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``.

    Args:
        x: Tensor of rank 3, 4 or 5: ``(batch, ..., channels)``, or channels second with ``'channels_first'``.
        output_size: Number of windows; one integer, or one per spatial axis.
        data_format: ``'channels_last'`` or ``'channels_first'``.
    """
    return _adaptive_pool(ADAPTIVE_MAX_POOL3D, x, output_size, data_format)


@operation("AdaptiveAveragePool")
def adaptive_average_pool(x: Any, output_size: Any, data_format: str = "channels_last") -> Any:
    """The mean voxel of each of `output_size` windows; arguments as for `adaptive_max_pool`."""
    return _adaptive_pool(ADAPTIVE_AVERAGE_POOL3D, x, output_size, data_format)
