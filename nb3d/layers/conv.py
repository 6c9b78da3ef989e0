"""`Conv1D`, `Conv2D`, `Conv3D`: the convolutions."""

from __future__ import annotations

from typing import Any

from nb3d.layers.arguments import check_integer
from nb3d.layers.base_conv import BaseConv
from nb3d.layers.registry import LAYERS
from nb3d.ops.convolution import PADDINGS, convolve


class Conv(BaseConv):
    """A convolution over `rank` spatial axes; its arguments are explained in `nb3d.layers.Conv3D`."""

    config_fields = ("filters", *BaseConv.config_fields, "groups")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
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
        groups: int = 1,  # last, for the first arguments are those of TensorFlow 1.4, which had no groups
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
        self.groups = check_integer(groups, "groups")
        if self.filters % self.groups:
            raise ValueError(
                f"Layer {self.name!r}: `filters` must be a multiple of `groups`. "
                f"Received: filters={self.filters}, groups={self.groups}"
            )

    def add_weights(self, channels: int) -> None:
        if channels % self.groups:
            raise ValueError(
                f"Layer {self.name!r}: the input's channels must be a multiple of `groups`, got {channels} channels "
                f"and groups={self.groups}."
            )
        self.add_kernel_and_bias((*self.kernel_size, channels // self.groups, self.filters), self.filters)

    def convolve(self, volume: Any) -> Any:
        return convolve(volume, self.kernel, self.strides, self.padding, self.dilation_rate)


@LAYERS.register("Convolution1D")
class Conv1D(Conv):
    """1D convolution of sequences with a kernel, plus a bias, and an activation.

    Args:
        filters: Channels of the output.
        kernel_size: Steps of the window.
        strides: Steps between two positions of the window.
        padding: ``'valid'``, ``'same'``, or ``'causal'``, which puts all padding in front, so that no output depends on
            what follows it.
        **kwargs: The other arguments of `Conv3D`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Output shape: the same axes with the new size, and `filters` channels.

    Raises:
        ValueError: If an argument is not as above; when called, if rank, channels or size of the input do not fit.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Conv1D(2, 3, padding="causal")(nb3d.Input((28, 1))).shape
        (None, 28, 2)

    Source: https://keras.io/api/layers/convolution_layers/convolution1d/
    """

    rank = 1
    paddings = (*PADDINGS, "causal")


@LAYERS.register("Convolution2D")
class Conv2D(Conv):
    """2D convolution of images with a kernel, plus a bias, and an activation.

    Args:
        filters: Channels of the output.
        kernel_size: Pixels of the window along height and width; one integer for both.
        strides: Pixels between two positions of the window.
        padding: ``'valid'`` or ``'same'``.
        **kwargs: The other arguments of `Conv3D`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Output shape: the same axes with the new sizes, and `filters` channels.

    Raises:
        ValueError: If an argument is not as above; when called, if rank, channels or sizes of the input do not fit.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Conv2D(2, (3, 1))(nb3d.Input((28, 28, 1))).shape
        (None, 26, 28, 2)

    Source: https://keras.io/api/layers/convolution_layers/convolution2d/
    """

    rank = 2


@LAYERS.register("Convolution3D")
class Conv3D(Conv):
    """3D convolution of volumes with a kernel, plus a bias, and an activation.

    As in all of deep learning the kernel is not flipped: it is a cross-correlation. ``same`` padding puts the odd voxel
    at the end, as TensorFlow does.

    Args:
        filters: Channels of the output.
        kernel_size: Voxels of the window along depth, height and width; one integer for all.
        strides: Voxels between two positions of the window.
        padding: ``'valid'``, or ``'same'`` for outputs of ``ceil(size / stride)``; in any case of letters.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        dilation_rate: Voxels between two taps of the window; not together with strides.
        activation: Name, function or layer that is applied in the end; none where absent.
        use_bias: Whether there is a bias.
        kernel_initializer: Initial values of the kernel, ``(kd, kh, kw, channels / groups, filters)``.
        bias_initializer: Initial values of the bias, ``(filters,)``.
        kernel_regularizer: Loss on the kernel.
        bias_regularizer: Loss on the bias.
        activity_regularizer: Loss on the output.
        kernel_constraint: Constraint kept on the kernel.
        bias_constraint: Constraint kept on the bias.
        groups: Parts into which channels and filters are split; each part of the filters sees one part of the channels.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Output shape: the same axes with the new sizes, and `filters` channels.

    Raises:
        ValueError: If an argument is not as above; when called, if rank, channels or sizes of the input do not fit.

    Example:
        >>> import nb3d
        >>> x = nb3d.Input((28, 28, 28, 1))
        >>> nb3d.layers.Conv3D(2, 3, activation="relu")(x).shape
        (None, 26, 26, 26, 2)

    Source: https://keras.io/api/layers/convolution_layers/convolution3d/
    """

    rank = 3


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
