"""`DepthwiseConv1D`, `DepthwiseConv2D`, `DepthwiseConv3D`: every channel convolved with kernels of its own."""

from __future__ import annotations

from typing import Any

from nb3d.layers.arguments import check_integer
from nb3d.layers.base_conv import WINDOW_FIELDS, BaseConv
from nb3d.layers.kernel_layer import kernel_fields
from nb3d.layers.registry import LAYERS
from nb3d.ops.convolution import convolve_depthwise


class DepthwiseConv(BaseConv):
    """A depthwise convolution over `rank` spatial axes; its arguments are explained in `DepthwiseConv3D`."""

    roles = ("depthwise", "bias")
    config_fields = ("depth_multiplier", *WINDOW_FIELDS, *kernel_fields("depthwise"))

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
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
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = check_integer(depth_multiplier, "depth_multiplier")

    def add_weights(self, channels: int) -> None:
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self.add_named_weight("kernel", shape, role="depthwise")
        self.add_bias_weight((channels * self.depth_multiplier,))

    def convolve(self, volume: Any) -> Any:
        return convolve_depthwise(volume, self.kernel, self.strides, self.padding, self.dilation_rate)


@LAYERS.register()
class DepthwiseConv1D(DepthwiseConv):
    """Depthwise 1D convolution: `depth_multiplier` outputs of every channel.

    Args:
        kernel_size: Steps of the window.
        strides: Steps between two positions of the window.
        padding: ``'valid'`` or ``'same'``.
        depth_multiplier: Kernels per channel.
        **kwargs: The other arguments of `DepthwiseConv3D`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Output shape: the same axes with the new size, and ``channels * depth_multiplier`` channels.

    Example:
        >>> import nb3d
        >>> nb3d.layers.DepthwiseConv1D(3, depth_multiplier=2)(nb3d.Input((8, 4))).shape
        (None, 6, 8)

    Source: https://keras.io/api/layers/convolution_layers/depthwise_convolution1d/
    """

    rank = 1


@LAYERS.register()
class DepthwiseConv2D(DepthwiseConv):
    """Depthwise 2D convolution: `depth_multiplier` outputs of every channel.

    Args:
        kernel_size: Pixels of the window along height and width; one integer for both.
        strides: Pixels between two positions of the window.
        padding: ``'valid'`` or ``'same'``.
        depth_multiplier: Kernels per channel.
        **kwargs: The other arguments of `DepthwiseConv3D`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Output shape: the same axes with the new sizes, and ``channels * depth_multiplier`` channels.

    Example:
        >>> import nb3d
        >>> nb3d.layers.DepthwiseConv2D(3, padding="same")(nb3d.Input((8, 8, 4))).shape
        (None, 8, 8, 4)

    Source: https://keras.io/api/layers/convolution_layers/depthwise_convolution2d/
    """

    rank = 2


@LAYERS.register()
class DepthwiseConv3D(DepthwiseConv):
    """Depthwise 3D convolution: `depth_multiplier` outputs of every channel.

    Keras has no such layer; this one is named and stored like `DepthwiseConv2D`.

    Args:
        kernel_size: Voxels of the window along depth, height and width; one integer for all.
        strides: Voxels between two positions of the window.
        padding: ``'valid'``, or ``'same'`` for outputs of ``ceil(size / stride)``; in any case of letters.
        depth_multiplier: Kernels per channel; those of one channel stand next to each other in the output.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        dilation_rate: Voxels between two taps of the window; not together with strides.
        activation: Name, function or layer that is applied in the end; none where absent.
        use_bias: Whether there is a bias.
        depthwise_initializer: Initial values of the kernel, ``(kd, kh, kw, channels, depth_multiplier)``.
        bias_initializer: Initial values of the bias, ``(channels * depth_multiplier,)``.
        depthwise_regularizer: Loss on the kernel.
        bias_regularizer: Loss on the bias.
        activity_regularizer: Loss on the output.
        depthwise_constraint: Constraint kept on the kernel.
        bias_constraint: Constraint kept on the bias.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Output shape: the same axes with the new sizes, and ``channels * depth_multiplier`` channels.

    Raises:
        ValueError: If an argument is not as above; when called, if rank, channels or sizes of the input do not fit.

    Example:
        >>> import nb3d
        >>> nb3d.layers.DepthwiseConv3D(3, depth_multiplier=2)(nb3d.Input((8, 8, 8, 4))).shape
        (None, 6, 6, 6, 8)

    Source: Howard et al., "MobileNets", 2017 (https://arxiv.org/abs/1704.04861)
    """

    rank = 3
