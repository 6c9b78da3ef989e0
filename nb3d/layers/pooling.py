"""Pooling: the largest or the mean voxel of each window."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.layers.arguments import check_data_format
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS
from nb3d.ops.convolution import check_padding
from nb3d.ops.shapes import triple


class BasePooling(Layer):
    """A layer that makes one voxel of each window.

    Args:
        pool_size: Voxels of the window along depth, height and width; one integer for all.
        strides: Voxels between two windows; the size of the window where absent.
        padding: ``'valid'``, or ``'same'`` for outputs of ``ceil(size / stride)``; in any case of letters.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        name: Name of the layer.
        **kwargs: Arguments of `Layer`.
    """

    config_fields = ("pool_size", "strides", "padding", "data_format")

    def __init__(
        self,
        pool_size: Any = (2, 2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = triple(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else triple(strides, "strides")
        self.padding = check_padding(padding)
        self.data_format = check_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)


@LAYERS.register("MaxPool3D")
class MaxPooling3D(BasePooling):
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

    def call(self, inputs: Any) -> Any:
        return ops.max_pool3d(inputs, self.pool_size, self.strides, self.padding, self.data_format)


@LAYERS.register("AvgPool3D")
class AveragePooling3D(BasePooling):
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

    def call(self, inputs: Any) -> Any:
        return ops.average_pool3d(inputs, self.pool_size, self.strides, self.padding, self.data_format)


MaxPool3D, AvgPool3D = MaxPooling3D, AveragePooling3D
