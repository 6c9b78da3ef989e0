"""3D convolution and its transpose, in either data format; kernels see channels-last volumes only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.operation import operation
from nb3d.ops.shapes import (
    SPATIAL_AXES,
    check_rank,
    effective_size,
    same_padding_before,
    triple,
    window_output_length,
)
from nb3d.ops.shaping import channels_first_to_last, channels_last_to_first

NO_EPILOGUE = (0, 0.0, 0.0)

Margins = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
Padding = str | Margins
"""``'valid'``, ``'same'``, or what only plans use: voxels before and behind each axis, negative where they are cut."""


def check_padding(padding: str) -> str:
    """`padding` in lower case.

    Raises:
        ValueError: If it is neither ``'valid'`` nor ``'same'``.
    """
    value = str(padding).lower()
    if value not in ("valid", "same"):
        raise ValueError(f"The `padding` argument must be one of 'valid', 'same'. Received: {padding!r}")
    return value


def in_channels_last(function: Callable[[Any], Any], x: Any, data_format: str) -> Any:
    """`function` of a channels-last volume, for `x` in either format."""
    if data_format == "channels_first":
        return channels_last_to_first(function(channels_first_to_last(x)))
    return function(x)


def padding_before(
    sizes: tuple[Any, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Padding,
    dilation: tuple[int, ...],
) -> tuple[int, ...]:
    """Voxels added before each spatial axis."""
    if padding == "valid":
        return (0, 0, 0)
    if not isinstance(padding, str):
        return tuple(before for before, _ in padding)
    return tuple(map(same_padding_before, sizes, kernel, strides, dilation))


def _known(kernel: TensorSpec, what: str) -> tuple[tuple[int, ...], int, int]:
    """Window and the two channel sizes of a kernel, which must all be known."""
    check_rank(kernel, 5, what)
    sizes = [size for size in kernel.shape if size is not None]
    if len(sizes) != 5:
        raise ValueError(f"{what}: all sizes must be known, got {kernel.shape}")
    return tuple(sizes[:3]), sizes[3], sizes[4]


def _conv3d_spec(
    x: TensorSpec,
    kernel: TensorSpec,
    *,
    strides: tuple[int, int, int],
    padding: Padding,
    dilation: tuple[int, int, int],
) -> TensorSpec:
    check_rank(x, 5, "conv3d input")
    window, per_group, filters = _known(kernel, "conv3d kernel")
    channels = x.shape[-1]
    if max(strides) > 1 and max(dilation) > 1:
        raise ValueError(f"strides > 1 are incompatible with dilation > 1: got strides {strides}, dilation {dilation}")
    if channels is None or channels % per_group or filters % (channels // per_group):
        raise ValueError(
            f"conv3d: a kernel of shape {kernel.shape} does not fit an input of {channels} channels: channels must be "
            "a multiple of its fourth size, and filters a multiple of the groups"
        )
    paddings = [padding] * 3 if isinstance(padding, str) else padding
    sizes = tuple(map(window_output_length, x.shape[1:4], window, strides, paddings, dilation))
    for size, length, axis in zip(x.shape[1:4], sizes, SPATIAL_AXES, strict=True):
        if length is not None and length <= 0:
            raise ValueError(
                f"conv3d: the {axis} of the input, {size}, is too small for a kernel of {window} with dilation "
                f"{dilation} and padding {padding!r}: the output would have size {length}"
            )
    return TensorSpec((x.shape[0], *sizes, filters), x.dtype)


def _conv3d_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    x, kernel = inputs[0], inputs[1]
    strides, dilation = attrs["strides"], attrs["dilation"]
    before = padding_before(x.shape[1:4], kernel.shape[:3], strides, attrs["padding"], dilation)
    groups = x.shape[-1] // kernel.shape[3]
    return (*strides, *before, *dilation, groups, *attrs.get("epilogue", NO_EPILOGUE))


def _with_epilogue(spec: Callable[..., TensorSpec]) -> Callable[..., TensorSpec]:
    """A shape rule that lets the plan add a bias, a residual and an activation."""

    def rule(x: TensorSpec, kernel: TensorSpec, *operands: Any, epilogue: Any = None, **attrs: Any) -> TensorSpec:
        return spec(x, kernel, **attrs)

    return rule


CONV3D = Op("conv3d", _with_epilogue(_conv3d_spec), _conv3d_params)


@operation("Conv")
def conv3d(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = 1,
) -> Any:
    """3D convolution, as deep learning means it: a cross-correlation.

    Args:
        x: Volumes, ``(batch, depth, height, width, channels)``, or channels second with ``'channels_first'``.
        kernel: ``(kd, kh, kw, channels / groups, filters)``; the number of groups follows from the channels of `x`.
        strides: Voxels between two positions of the kernel; one or three integers.
        padding: ``'valid'``, or ``'same'`` for ``ceil(size / stride)`` outputs, the odd voxel of padding at the end.
        data_format: ``'channels_last'`` or ``'channels_first'``.
        dilation_rate: Voxels between two taps of the kernel; one or three integers.

    Returns:
        Volumes of `filters` channels.

    Raises:
        ValueError: If the sizes do not fit, or both strides and dilation exceed 1.

    Example:
        >>> import numpy as np
        >>> from nb3d import ops
        >>> ops.conv3d(np.ones((1, 4, 4, 4, 1), "float32"), np.ones((3, 3, 3, 1, 2), "float32")).shape
        (1, 2, 2, 2, 2)
    """
    attrs = {
        "strides": triple(strides, "strides"),
        "padding": check_padding(padding),
        "dilation": triple(dilation_rate, "dilation_rate"),
    }
    return in_channels_last(lambda volume: apply(CONV3D, volume, kernel, None, None, **attrs), x, data_format)


def transposed_length(
    size: int | None, kernel: int, stride: int, padding: str, output_padding: int | None, dilation: int
) -> int | None:
    """Output length of a transposed convolution along one axis, as Keras 3 has it."""
    if size is None:
        return None
    span = effective_size(kernel, dilation)
    if output_padding is None:
        return size * stride if padding == "same" else size * stride + max(span - stride, 0)
    cut = span // 2 if padding == "same" else 0
    return (size - 1) * stride + span - 2 * cut + output_padding


def transposed_padding_before(size: int, out: int, kernel: int, stride: int, padding: str, dilation: int) -> int:
    """Voxels of the full result that are cut before an axis: the padding of the convolution that it transposes."""
    if padding == "valid":
        return 0
    return max((size - 1) * stride + effective_size(kernel, dilation) - out, 0) // 2


def _conv3d_transpose_spec(
    x: TensorSpec,
    kernel: TensorSpec,
    *,
    strides: tuple[int, int, int],
    padding: str,
    output_padding: tuple[int | None, int | None, int | None],
    dilation: tuple[int, int, int],
) -> TensorSpec:
    check_rank(x, 5, "conv3d_transpose input")
    window, filters, channels = _known(kernel, "conv3d_transpose kernel")
    if x.shape[-1] != channels:
        raise ValueError(f"conv3d_transpose: a kernel of shape {kernel.shape} does not fit {x.shape[-1]} channels")
    sizes = tuple(map(transposed_length, x.shape[1:4], window, strides, [padding] * 3, output_padding, dilation))
    if any(size is not None and size <= 0 for size in sizes):
        raise ValueError(f"conv3d_transpose: the output of input {x.shape} would have sizes {sizes}")
    return TensorSpec((x.shape[0], *sizes, filters), x.dtype)


def _conv3d_transpose_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    strides, dilation = attrs["strides"], attrs["dilation"]
    x, kernel, padding = inputs[0].shape[1:4], inputs[1].shape[:3], [attrs["padding"]] * 3
    before = tuple(map(transposed_padding_before, x, out.shape[1:4], kernel, strides, padding, dilation))
    return (*strides, *before, *dilation, *attrs.get("epilogue", NO_EPILOGUE))


CONV3D_TRANSPOSE = Op("conv3d_transpose", _with_epilogue(_conv3d_transpose_spec), _conv3d_transpose_params)


@operation("ConvTranspose")
def conv3d_transpose(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str = "channels_last",
    dilation_rate: Any = 1,
) -> Any:
    """Transposed 3D convolution: the gradient of `conv3d` with respect to its input, often called deconvolution.

    Args:
        x: Volumes, ``(batch, depth, height, width, channels)``, or channels second with ``'channels_first'``.
        kernel: ``(kd, kh, kw, filters, channels)``.
        strides: Voxels of the output per voxel of the input; one or three integers.
        padding: ``'valid'`` or ``'same'`` (outputs of ``size * stride``).
        output_padding: Additional voxels at the end of each axis; less than the stride. ``None``: as `padding` says.
        data_format: ``'channels_last'`` or ``'channels_first'``.
        dilation_rate: Voxels between two taps of the kernel.

    Returns:
        Volumes of `filters` channels.

    Raises:
        ValueError: If the sizes do not fit.
    """
    step = triple(strides, "strides")
    extra = (None, None, None) if output_padding is None else triple(output_padding, "output_padding", minimum=0)
    if any(more is not None and more >= stride for more, stride in zip(extra, step, strict=True)):
        raise ValueError(f"The `output_padding` {extra} must be less than the strides {step}")
    attrs = {
        "strides": step,
        "padding": check_padding(padding),
        "output_padding": extra,
        "dilation": triple(dilation_rate, "dilation_rate"),
    }
    return in_channels_last(lambda volume: apply(CONV3D_TRANSPOSE, volume, kernel, None, **attrs), x, data_format)
