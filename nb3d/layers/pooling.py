"""Pooling: the largest or the mean voxel of each window."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.layers.registry import LAYERS
from nb3d.layers.spatial_layer import SpatialLayer
from nb3d.ops.convolution import check_padding
from nb3d.ops.shapes import integers


class BasePooling(SpatialLayer):
    """A layer that makes one voxel of each window; its arguments are explained in `nb3d.layers.MaxPooling3D`."""

    config_fields = ("pool_size", "strides", "padding", "data_format")

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, name=name, **kwargs)
        self.pool_size = integers(pool_size, "pool_size", self.rank)
        self.strides = self.pool_size if strides is None else integers(strides, "strides", self.rank)
        self.padding = check_padding(padding)


class MaxPooling(BasePooling):
    """The largest value of each window."""

    def call(self, inputs: Any) -> Any:
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class AveragePooling(BasePooling):
    """The mean value of each window; padding does not count."""

    def call(self, inputs: Any) -> Any:
        return ops.average_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


@LAYERS.register("MaxPool1D")
class MaxPooling1D(MaxPooling):
    """The largest step of each window; arguments as for `MaxPooling3D`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.MaxPooling1D()(nb3d.Input((9, 3))).shape
        (None, 4, 3)

    Source: https://keras.io/api/layers/pooling_layers/max_pooling1d/
    """

    rank = 1


@LAYERS.register("MaxPool2D")
class MaxPooling2D(MaxPooling):
    """The largest pixel of each window; arguments as for `MaxPooling3D`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.MaxPooling2D((1, 2))(nb3d.Input((9, 8, 3))).shape
        (None, 9, 4, 3)

    Source: https://keras.io/api/layers/pooling_layers/max_pooling2d/
    """

    rank = 2


@LAYERS.register("MaxPool3D")
class MaxPooling3D(MaxPooling):
    """The largest voxel of each window.

    Args:
        pool_size: Voxels of the window along depth, height and width; one integer for all.
        strides: Voxels between two windows; the size of the window where absent.
        padding: ``'valid'``, or ``'same'`` for outputs of ``ceil(size / stride)``; in any case of letters.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        name: Name of the layer.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Raises:
        ValueError: If an argument is not as above; when called, if the input is too small for the window.

    Example:
        >>> import nb3d
        >>> nb3d.layers.MaxPooling3D()(nb3d.Input((9, 8, 8, 3))).shape
        (None, 4, 4, 4, 3)

    Source: https://keras.io/api/layers/pooling_layers/max_pooling3d/
    """

    rank = 3


@LAYERS.register("AvgPool1D")
class AveragePooling1D(AveragePooling):
    """The mean step of each window; steps of padding do not count. Arguments as for `AveragePooling3D`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.AveragePooling1D(3, strides=1)(nb3d.Input((9, 3))).shape
        (None, 7, 3)

    Source: https://keras.io/api/layers/pooling_layers/average_pooling1d/
    """

    rank = 1


@LAYERS.register("AvgPool2D")
class AveragePooling2D(AveragePooling):
    """The mean pixel of each window; pixels of padding do not count. Arguments as for `AveragePooling3D`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.AveragePooling2D(3, strides=2, padding="same")(nb3d.Input((9, 8, 3))).shape
        (None, 5, 4, 3)

    Source: https://keras.io/api/layers/pooling_layers/average_pooling2d/
    """

    rank = 2


@LAYERS.register("AvgPool3D")
class AveragePooling3D(AveragePooling):
    """The mean voxel of each window; voxels of padding do not count.

    Args:
        pool_size: Voxels of the window along depth, height and width; one integer for all.
        strides: Voxels between two windows; the size of the window where absent.
        padding: ``'valid'``, or ``'same'`` for outputs of ``ceil(size / stride)``; in any case of letters.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        name: Name of the layer.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Raises:
        ValueError: If an argument is not as above; when called, if the input is too small for the window.

    Example:
        >>> import nb3d
        >>> nb3d.layers.AveragePooling3D(3, strides=2, padding="same")(nb3d.Input((9, 8, 8, 3))).shape
        (None, 5, 4, 4, 3)

    Source: https://keras.io/api/layers/pooling_layers/average_pooling3d/
    """

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
