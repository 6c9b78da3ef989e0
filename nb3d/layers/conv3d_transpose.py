"""`Conv3DTranspose`: the transposed 3D convolution."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.layers.base_conv import BaseConv
from nb3d.layers.registry import LAYERS
from nb3d.ops.shapes import triple


@LAYERS.register("Convolution3DTranspose", "Deconvolution3D", "Deconv3D")
class Conv3DTranspose(BaseConv):
    """Transposed 3D convolution, often called deconvolution: what a `Conv3D` of the same window would have come from.

    Args:
        filters: Channels of the output.
        kernel_size: Voxels of the window along depth, height and width; one integer for all.
        strides: Voxels of the output per voxel of the input.
        padding: ``'valid'``, or ``'same'`` for outputs of ``size * stride``; in any case of letters.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        output_padding: Additional voxels at the end of each axis, fewer than the stride; where absent they follow from
            `padding`.
        dilation_rate: Voxels between two taps of the window; not together with strides.
        activation: Name, function or layer that is applied in the end; none where absent.
        use_bias: Whether there is a bias.
        kernel_initializer: Initial values of the kernel, ``(kd, kh, kw, filters, channels)``.
        bias_initializer: Initial values of the bias, ``(filters,)``.
        kernel_regularizer: Loss on the kernel.
        bias_regularizer: Loss on the bias.
        activity_regularizer: Loss on the output.
        kernel_constraint: Constraint kept on the kernel.
        bias_constraint: Constraint kept on the bias.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Output shape: the same axes with the new sizes, and `filters` channels.

    Raises:
        ValueError: If an argument is not as above; when called, if rank or channels of the input do not fit.

    Example:
        >>> import nb3d
        >>> x = nb3d.Input((8, 8, 8, 4))
        >>> nb3d.layers.Conv3DTranspose(2, 2, strides=2)(x).shape
        (None, 16, 16, 16, 2)

    Source: https://keras.io/api/layers/convolution_layers/convolution3d_transpose/
    """

    config_fields = (*BaseConv.config_fields, "output_padding")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        extra = None if output_padding is None else triple(output_padding, "output_padding", minimum=0)
        if extra is not None and any(more >= stride for more, stride in zip(extra, self.strides, strict=True)):
            raise ValueError(
                f"Layer {self.name!r}: `output_padding` must be less than `strides` along every axis. "
                f"Received: output_padding={extra}, strides={self.strides}"
            )
        self.output_padding = extra

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, self.filters, channels)

    def convolve(self, volume: Any) -> Any:
        return ops.conv3d_transpose(
            volume,
            self.kernel,
            self.strides,
            self.padding,
            output_padding=self.output_padding,
            dilation_rate=self.dilation_rate,
        )


Convolution3DTranspose = Deconvolution3D = Conv3DTranspose
