"""`SeparableConv1D`, `SeparableConv2D`, `SeparableConv3D`: a depthwise convolution, then one of single voxels."""

from __future__ import annotations

from typing import Any

from nb3d.layers.arguments import check_integer
from nb3d.layers.base_conv import WINDOW_FIELDS, BaseConv
from nb3d.layers.kernel_layer import kernel_fields
from nb3d.layers.registry import LAYERS
from nb3d.ops.convolution import PADDINGS, convolve, convolve_depthwise


class SeparableConv(BaseConv):
    """A separable convolution over `rank` spatial axes; its arguments are explained in `SeparableConv3D`."""

    roles = ("depthwise", "pointwise", "bias")
    config_fields = ("filters", "depth_multiplier", *WINDOW_FIELDS, *kernel_fields("depthwise", "pointwise"))

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
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
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.filters = check_integer(filters, "filters")
        self.depth_multiplier = check_integer(depth_multiplier, "depth_multiplier")
        self.depthwise_kernel: Any = None
        self.pointwise_kernel: Any = None

    def add_weights(self, channels: int) -> None:
        depthwise = (*self.kernel_size, channels, self.depth_multiplier)
        pointwise = (*[1] * self.rank, channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = self.add_named_weight("depthwise_kernel", depthwise, role="depthwise")
        self.pointwise_kernel = self.add_named_weight("pointwise_kernel", pointwise, role="pointwise")
        self.add_bias_weight((self.filters,))

    def convolve(self, volume: Any) -> Any:
        depthwise = convolve_depthwise(volume, self.depthwise_kernel, self.strides, self.padding, self.dilation_rate)
        return convolve(depthwise, self.pointwise_kernel, (1,), "valid", (1,))


@LAYERS.register("SeparableConvolution1D")
class SeparableConv1D(SeparableConv):
    """Separable 1D convolution: a depthwise one, then one of single steps.

    Args:
        filters: Channels of the output.
        kernel_size: Steps of the depthwise window.
        strides: Steps between two positions of the window.
        padding: ``'valid'``, ``'same'``, or ``'causal'``, which puts all padding in front.
        **kwargs: The other arguments of `SeparableConv3D`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Output shape: the same axes with the new size, and `filters` channels.

    Example:
        >>> import nb3d
        >>> nb3d.layers.SeparableConv1D(5, 3)(nb3d.Input((8, 4))).shape
        (None, 6, 5)

    Source: https://keras.io/api/layers/convolution_layers/separable_convolution1d/
    """

    rank = 1
    paddings = (*PADDINGS, "causal")


@LAYERS.register("SeparableConvolution2D")
class SeparableConv2D(SeparableConv):
    """Separable 2D convolution: a depthwise one, then one of single pixels.

    Args:
        filters: Channels of the output.
        kernel_size: Pixels of the depthwise window along height and width; one integer for both.
        strides: Pixels between two positions of the window.
        padding: ``'valid'`` or ``'same'``.
        **kwargs: The other arguments of `SeparableConv3D`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Output shape: the same axes with the new sizes, and `filters` channels.

    Example:
        >>> import nb3d
        >>> nb3d.layers.SeparableConv2D(5, 3)(nb3d.Input((8, 8, 4))).shape
        (None, 6, 6, 5)

    Source: https://keras.io/api/layers/convolution_layers/separable_convolution2d/
    """

    rank = 2


@LAYERS.register("SeparableConvolution3D")
class SeparableConv3D(SeparableConv):
    """Separable 3D convolution: a depthwise one, then one of single voxels, plus a bias, and an activation.

    Keras has no such layer; this one is named and stored like `SeparableConv2D`.

    Args:
        filters: Channels of the output.
        kernel_size: Voxels of the depthwise window along depth, height and width; one integer for all.
        strides: Voxels between two positions of the window.
        padding: ``'valid'``, or ``'same'`` for outputs of ``ceil(size / stride)``; in any case of letters.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        dilation_rate: Voxels between two taps of the window; not together with strides.
        depth_multiplier: Depthwise kernels per channel.
        activation: Name, function or layer that is applied in the end; none where absent.
        use_bias: Whether there is a bias.
        depthwise_initializer: Initial values of the first kernel, ``(kd, kh, kw, channels, depth_multiplier)``.
        pointwise_initializer: Initial values of the second, ``(1, 1, 1, channels * depth_multiplier, filters)``.
        bias_initializer: Initial values of the bias, ``(filters,)``.
        depthwise_regularizer: Loss on the first kernel.
        pointwise_regularizer: Loss on the second.
        bias_regularizer: Loss on the bias.
        activity_regularizer: Loss on the output.
        depthwise_constraint: Constraint kept on the first kernel.
        pointwise_constraint: Constraint kept on the second.
        bias_constraint: Constraint kept on the bias.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Output shape: the same axes with the new sizes, and `filters` channels.

    Raises:
        ValueError: If an argument is not as above; when called, if rank, channels or sizes of the input do not fit.

    Example:
        >>> import nb3d
        >>> nb3d.layers.SeparableConv3D(5, 3)(nb3d.Input((8, 8, 8, 4))).shape
        (None, 6, 6, 6, 5)

    Source: Chollet, "Xception", 2017 (https://arxiv.org/abs/1610.02357)
    """

    rank = 3


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
SeparableConvolution3D = SeparableConv3D
