"""`Conv1DTranspose`, `Conv2DTranspose`, `Conv3DTranspose`: the transposed convolutions."""

from __future__ import annotations

from typing import Any

from nb3d.layers.arguments import check_integer
from nb3d.layers.base_conv import BaseConv
from nb3d.layers.registry import LAYERS
from nb3d.ops.transposed_convolution import check_output_padding, convolve_transpose


class ConvTranspose(BaseConv):
    """A transposed convolution over `rank` spatial axes; its arguments are explained in `Conv3DTranspose`."""

    config_fields = ("filters", *BaseConv.config_fields, "output_padding")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = 1,
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
        self.filters = check_integer(filters, "filters")
        self.output_padding = check_output_padding(output_padding, self.strides)

    def add_weights(self, channels: int) -> None:
        self.add_kernel_and_bias((*self.kernel_size, self.filters, channels), self.filters)

    def convolve(self, volume: Any) -> Any:
        return convolve_transpose(
            volume, self.kernel, self.strides, self.padding, self.output_padding, self.dilation_rate
        )


@LAYERS.register("Convolution1DTranspose")
class Conv1DTranspose(ConvTranspose):
    """Transposed 1D convolution: what a `Conv1D` of the same window would have come from.

    Args:
        filters: Channels of the output.
        kernel_size: Steps of the window.
        strides: Steps of the output per step of the input.
        padding: ``'valid'``, or ``'same'`` for outputs of ``size * stride``.
        **kwargs: The other arguments of `Conv3DTranspose`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Output shape: the same axes with the new size, and `filters` channels.

    Raises:
        ValueError: If an argument is not as above; when called, if rank or channels of the input do not fit.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Conv1DTranspose(2, 2, strides=2)(nb3d.Input((8, 4))).shape
        (None, 16, 2)

    Source: https://keras.io/api/layers/convolution_layers/convolution1d_transpose/
    """

    rank = 1


@LAYERS.register("Convolution2DTranspose", "Deconvolution2D")
class Conv2DTranspose(ConvTranspose):
    """Transposed 2D convolution: what a `Conv2D` of the same window would have come from.

    Args:
        filters: Channels of the output.
        kernel_size: Pixels of the window along height and width; one integer for both.
        strides: Pixels of the output per pixel of the input.
        padding: ``'valid'``, or ``'same'`` for outputs of ``size * stride``.
        **kwargs: The other arguments of `Conv3DTranspose`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Output shape: the same axes with the new sizes, and `filters` channels.

    Raises:
        ValueError: If an argument is not as above; when called, if rank or channels of the input do not fit.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Conv2DTranspose(2, 2, strides=(2, 1))(nb3d.Input((8, 8, 4))).shape
        (None, 16, 9, 2)

    Source: https://keras.io/api/layers/convolution_layers/convolution2d_transpose/
    """

    rank = 2


@LAYERS.register("Convolution3DTranspose", "Deconvolution3D", "Deconv3D")
class Conv3DTranspose(ConvTranspose):
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

    rank = 3


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Deconvolution2D = Conv2DTranspose
Convolution3DTranspose = Deconvolution3D = Conv3DTranspose
