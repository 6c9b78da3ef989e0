"""Adaptive pooling: so many windows, whatever the size of the input."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.layers.registry import LAYERS
from nb3d.layers.spatial_layer import SpatialLayer
from nb3d.ops.shapes import integers


class BaseAdaptivePooling(SpatialLayer):
    """A layer that makes `output_size` voxels; its arguments are explained in `nb3d.layers.AdaptiveMaxPooling3D`."""

    config_fields = ("output_size", "data_format")

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.output_size = integers(output_size, "output_size", self.rank)


class AdaptiveMaxPooling(BaseAdaptivePooling):
    """The largest value of each window."""

    def call(self, inputs: Any) -> Any:
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling(BaseAdaptivePooling):
    """The mean value of each window."""

    def call(self, inputs: Any) -> Any:
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


@LAYERS.register()
class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """The largest step of each of `output_size` windows; arguments as for `AdaptiveMaxPooling3D`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.AdaptiveMaxPooling1D(4)(nb3d.Input((9, 3))).shape
        (None, 4, 3)

    Source: https://keras.io/api/layers/pooling_layers/adaptive_max_pooling1d/
    """

    rank = 1


@LAYERS.register()
class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The largest pixel of each of `output_size` windows; arguments as for `AdaptiveMaxPooling3D`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.AdaptiveMaxPooling2D((4, 2))(nb3d.Input((9, 8, 3))).shape
        (None, 4, 2, 3)

    Source: https://keras.io/api/layers/pooling_layers/adaptive_max_pooling2d/
    """

    rank = 2


@LAYERS.register()
class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """The largest voxel of each of `output_size` windows, which cover the input as evenly as they can.

    Along an axis of `size` voxels window `i` of `n` reaches from ``floor(i * size / n)`` to
    ``ceil((i + 1) * size / n)``; neighbours may share a voxel.

    Args:
        output_size: Voxels of the output along depth, height and width; one integer for all.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> nb3d.layers.AdaptiveMaxPooling3D(4)(nb3d.Input((None, None, None, 3))).shape
        (None, 4, 4, 4, 3)

    Source: https://keras.io/api/layers/pooling_layers/adaptive_max_pooling3d/
    """

    rank = 3


@LAYERS.register()
class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """The mean step of each of `output_size` windows; arguments as for `AdaptiveMaxPooling3D`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.AdaptiveAveragePooling1D(4)(nb3d.Input((9, 3))).shape
        (None, 4, 3)

    Source: https://keras.io/api/layers/pooling_layers/adaptive_average_pooling1d/
    """

    rank = 1


@LAYERS.register()
class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The mean pixel of each of `output_size` windows; arguments as for `AdaptiveMaxPooling3D`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.AdaptiveAveragePooling2D(1)(nb3d.Input((9, 8, 3))).shape
        (None, 1, 1, 3)

    Source: https://keras.io/api/layers/pooling_layers/adaptive_average_pooling2d/
    """

    rank = 2


@LAYERS.register()
class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """The mean voxel of each of `output_size` windows; arguments as for `AdaptiveMaxPooling3D`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.AdaptiveAveragePooling3D((1, 2, 2))(nb3d.Input((7, 8, 9, 3))).shape
        (None, 1, 2, 2, 3)

    Source: https://keras.io/api/layers/pooling_layers/adaptive_average_pooling3d/
    """

    rank = 3
