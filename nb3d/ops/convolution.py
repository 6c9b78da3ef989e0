"""Convolution, plain, depthwise and separable, over one to three spatial axes in either data format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.operation import operation
from nb3d.ops.shapes import check_rank, effective_size, integers, same_padding_before, window_output_length
from nb3d.ops.shaping import reshape
from nb3d.ops.volumes import check_spatial, filled, in_volume, kernel_of_volume, spatial_sizes

NO_EPILOGUE = (0, 0.0, 0.0)
PADDINGS = ("valid", "same")

Margins = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
Padding = str | Margins
"""``'valid'``, ``'same'``, or what only plans use: voxels before and behind each axis, negative where they are cut."""


def check_padding(padding: str, allowed: Sequence[str] = PADDINGS) -> str:
    """`padding` in lower case.

    Raises:
        ValueError: If it is none of those that are allowed.
    """
    value = str(padding).lower()
    if value not in allowed:
        raise ValueError(
            f"The `padding` argument must be one of {', '.join(map(repr, allowed))}. Received: {padding!r}"
        )
    return value


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


def known_kernel(kernel: TensorSpec, what: str) -> tuple[tuple[int, ...], int, int]:
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
    window, per_group, filters = known_kernel(kernel, "conv3d kernel")
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
    for (axis, size), length in zip(spatial_sizes(x), sizes, strict=True):
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


def with_epilogue(spec: Callable[..., TensorSpec]) -> Callable[..., TensorSpec]:
    """A shape rule that lets the plan add a bias, a residual and an activation."""

    def rule(x: TensorSpec, kernel: TensorSpec, *operands: Any, epilogue: Any = None, **attrs: Any) -> TensorSpec:
        return spec(x, kernel, **attrs)

    return rule


CONV3D = Op("conv3d", with_epilogue(_conv3d_spec), _conv3d_params)


def convolve(volume: Any, kernel: Any, strides: Sequence[int], padding: str, dilation: Sequence[int]) -> Any:
    """The convolution of a channels-last volume with a kernel of one to three spatial axes; arguments are checked.

    Besides the paddings of `conv` there is ``causal``, which adds all voxels in front: no output sees what follows.
    """
    margins: Padding = padding
    if padding == "causal":
        spans = map(effective_size, kernel.shape[:-2], dilation)
        margins = filled([(span - 1, 0) for span in spans], (0, 0))
    attrs = {"strides": filled(strides, 1), "padding": margins, "dilation": filled(dilation, 1)}
    return apply(CONV3D, volume, kernel_of_volume(kernel), None, None, **attrs)


def convolve_depthwise(volume: Any, kernel: Any, strides: Sequence[int], padding: str, dilation: Sequence[int]) -> Any:
    """The convolution of every channel of a channels-last volume with kernels of its own.

    It is a convolution of as many groups as there are channels: the last two axes of the kernel, channels and kernels
    per channel, are the filters in order.
    """
    *window, channels, multiplier = kernel.shape
    return convolve(volume, reshape(kernel, (*window, 1, channels * multiplier)), strides, padding, dilation)


def _window(x: Any, strides: Any, padding: str, dilation_rate: Any, what: str) -> tuple[Any, ...]:
    """Strides, padding and dilation as `convolve` takes them."""
    rank = check_spatial(x, what)
    return (
        integers(strides, "strides", rank),
        check_padding(padding),
        integers(dilation_rate, "dilation_rate", rank),
    )


@operation("Conv")
def conv(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = 1,
) -> Any:
    """Convolution, as deep learning means it: a cross-correlation.

    Args:
        x: Tensor of rank 3, 4 or 5: ``(batch, ..., channels)``, or channels second with ``'channels_first'``.
        kernel: ``(..., channels / groups, filters)``; the number of groups follows from the channels of `x`.
        strides: Voxels between two positions of the kernel; one integer, or one per spatial axis.
        padding: ``'valid'``, or ``'same'`` for ``ceil(size / stride)`` outputs, the odd voxel of padding at the end.
        data_format: ``'channels_last'`` or ``'channels_first'``.
        dilation_rate: Voxels between two taps of the kernel; one integer, or one per spatial axis.

    Returns:
        A tensor of `filters` channels.

    Raises:
        ValueError: If the sizes do not fit.

    Source: https://keras.io/api/ops/nn/
    """
    window = _window(x, strides, padding, dilation_rate, "conv")
    return in_volume(lambda volume: convolve(volume, kernel, *window), x, data_format)


@operation("DepthwiseConv")
def depthwise_conv(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = 1,
) -> Any:
    """Convolution of every channel with kernels of its own; arguments as for `conv`.

    Args:
        x: Tensor of rank 3, 4 or 5.
        kernel: ``(..., channels, kernels per channel)``.
        strides: Voxels between two positions of the kernel.
        padding: ``'valid'`` or ``'same'``.
        data_format: ``'channels_last'`` or ``'channels_first'``.
        dilation_rate: Voxels between two taps of the kernel.
    """
    window = _window(x, strides, padding, dilation_rate, "depthwise_conv")
    return in_volume(lambda volume: convolve_depthwise(volume, kernel, *window), x, data_format)


@operation("SeparableConv")
def separable_conv(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = 1,
) -> Any:
    """A depthwise convolution, then one with a window of one voxel; arguments as for `conv`.

    Args:
        x: Tensor of rank 3, 4 or 5.
        depthwise_kernel: ``(..., channels, kernels per channel)``.
        pointwise_kernel: ``(1, ..., channels * kernels per channel, filters)``.
        strides: Voxels between two positions of the depthwise kernel.
        padding: ``'valid'`` or ``'same'``.
        data_format: ``'channels_last'`` or ``'channels_first'``.
        dilation_rate: Voxels between two taps of the depthwise kernel.
    """
    window = _window(x, strides, padding, dilation_rate, "separable_conv")

    def separable(volume: Any) -> Any:
        return convolve(convolve_depthwise(volume, depthwise_kernel, *window), pointwise_kernel, (1,), "valid", (1,))

    return in_volume(separable, x, data_format)
