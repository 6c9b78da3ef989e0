"""`Conv3D`: the 3D convolution."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.layers.arguments import check_integer
from nb3d.layers.base_conv import BaseConv
from nb3d.layers.registry import LAYERS


@LAYERS.register("Convolution3D")
class Conv3D(BaseConv):
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

    config_fields = (*BaseConv.config_fields, "groups")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
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
        groups: int = 1,  # last, for the first arguments are those of TensorFlow 1.4, which had no groups
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
        self.groups = check_integer(groups, "groups")
        if self.filters % self.groups:
            raise ValueError(
                f"Layer {self.name!r}: `filters` must be a multiple of `groups`. "
                f"Received: filters={self.filters}, groups={self.groups}"
            )

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        if channels % self.groups:
            raise ValueError(
                f"Layer {self.name!r}: the input's channels must be a multiple of `groups`, got {channels} channels "
                f"and groups={self.groups}."
            )
        return (*self.kernel_size, channels // self.groups, self.filters)

    def convolve(self, volume: Any) -> Any:
        return ops.conv3d(volume, self.kernel, self.strides, self.padding, dilation_rate=self.dilation_rate)


Convolution3D = Conv3D
