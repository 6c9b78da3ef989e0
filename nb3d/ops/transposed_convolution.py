"""Transposed convolution over one to three spatial axes in either data format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.convolution import NO_EPILOGUE, check_padding, known_kernel, with_epilogue
from nb3d.ops.operation import operation
from nb3d.ops.shapes import check_rank, effective_size, integers
from nb3d.ops.volumes import check_spatial, filled, in_volume, kernel_of_volume


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
    window, filters, channels = known_kernel(kernel, "conv3d_transpose kernel")
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


CONV3D_TRANSPOSE = Op("conv3d_transpose", with_epilogue(_conv3d_transpose_spec), _conv3d_transpose_params)


def check_output_padding(value: Any, strides: tuple[int, ...]) -> tuple[int, ...] | None:
    """Voxels that are added behind every axis.

    Raises:
        ValueError: If there are not as many as axes, or one is not less than its stride.
    """
    if value is None:
        return None
    extra = integers(value, "output_padding", len(strides), minimum=0)
    if any(more >= stride for more, stride in zip(extra, strides, strict=True)):
        raise ValueError(
            "`output_padding` must be less than `strides` along every axis. "
            f"Received: output_padding={extra}, strides={strides}"
        )
    return extra


def convolve_transpose(
    volume: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int] | None,
    dilation: Sequence[int],
) -> Any:
    """The transposed convolution of a channels-last volume; arguments are checked."""
    attrs = {
        "strides": filled(strides, 1),
        "padding": padding,
        "output_padding": (None, None, None) if output_padding is None else filled(output_padding, 0),
        "dilation": filled(dilation, 1),
    }
    return apply(CONV3D_TRANSPOSE, volume, kernel_of_volume(kernel), None, **attrs)


@operation("ConvTranspose")
def conv_transpose(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str = "channels_last",
    dilation_rate: Any = 1,
) -> Any:
    """Transposed convolution: the gradient of `conv` with respect to its input, often called deconvolution.

    Args:
        x: Tensor of rank 3, 4 or 5: ``(batch, ..., channels)``, or channels second with ``'channels_first'``.
        kernel: ``(..., filters, channels)``.
        strides: Voxels of the output per voxel of the input; one integer, or one per spatial axis.
        padding: ``'valid'`` or ``'same'`` (outputs of ``size * stride``).
        output_padding: Additional voxels at the end of each axis; less than the stride. ``None``: as `padding` says.
        data_format: ``'channels_last'`` or ``'channels_first'``.
        dilation_rate: Voxels between two taps of the kernel.

    Returns:
        A tensor of `filters` channels.

    Raises:
        ValueError: If the sizes do not fit.

    Source: https://keras.io/api/ops/nn/
    """
    rank = check_spatial(x, "conv_transpose")
    step = integers(strides, "strides", rank)
    extra = check_output_padding(output_padding, step)
    padding, dilation = check_padding(padding), integers(dilation_rate, "dilation_rate", rank)
    return in_volume(lambda v: convolve_transpose(v, kernel, step, padding, extra, dilation), x, data_format)
