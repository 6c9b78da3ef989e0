"""Global pooling: one number per channel."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.layers.registry import LAYERS
from nb3d.layers.spatial_layer import SpatialLayer


class BaseGlobalPooling(SpatialLayer):
    """A layer that makes one voxel of a volume; its arguments are explained in `nb3d.layers.GlobalMaxPooling3D`."""

    config_fields = ("data_format", "keepdims")

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.keepdims = bool(keepdims)


class GlobalMaxPooling(BaseGlobalPooling):
    """The largest value of each channel."""

    def call(self, inputs: Any) -> Any:
        return ops.max(inputs, axis=self.spatial_axes, keepdims=self.keepdims)


class GlobalAveragePooling(BaseGlobalPooling):
    """The mean value of each channel."""

    def call(self, inputs: Any) -> Any:
        return ops.mean(inputs, axis=self.spatial_axes, keepdims=self.keepdims)


@LAYERS.register("GlobalMaxPool1D")
class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest step of each channel; arguments as for `GlobalMaxPooling3D`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.GlobalMaxPooling1D()(nb3d.Input((None, 3))).shape
        (None, 3)

    Source: https://keras.io/api/layers/pooling_layers/global_max_pooling1d/
    """

    rank = 1


@LAYERS.register("GlobalMaxPool2D")
class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest pixel of each channel; arguments as for `GlobalMaxPooling3D`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.GlobalMaxPooling2D(keepdims=True)(nb3d.Input((None, None, 3))).shape
        (None, 1, 1, 3)

    Source: https://keras.io/api/layers/pooling_layers/global_max_pooling2d/
    """

    rank = 2


@LAYERS.register("GlobalMaxPool3D")
class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest voxel of each channel.

    Args:
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        keepdims: Whether the spatial axes stay, with size 1.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Output shape: ``(batch, channels)``, or that of a volume of one voxel with `keepdims`.

    Example:
        >>> import nb3d
        >>> nb3d.layers.GlobalMaxPooling3D()(nb3d.Input((None, None, None, 3))).shape
        (None, 3)

    Source: https://keras.io/api/layers/pooling_layers/global_max_pooling3d/
    """

    rank = 3


@LAYERS.register("GlobalAvgPool1D")
class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean step of each channel, of those steps that the mask lets pass; arguments as for `GlobalAveragePooling3D`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.GlobalAveragePooling1D()(nb3d.Input((None, 3))).shape
        (None, 3)

    Source: https://keras.io/api/layers/pooling_layers/global_average_pooling1d/
    """

    rank = 1
    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        (axis,) = self.spatial_axes
        kept = ops.expand_dims(mask, -1 if self.data_format == "channels_last" else 1)
        total = ops.sum(ops.where(kept, inputs, 0.0), axis=axis, keepdims=self.keepdims)
        return total / ops.sum(ops.cast(kept, inputs.dtype), axis=axis, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """There are no steps any more to mask."""


@LAYERS.register("GlobalAvgPool2D")
class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean pixel of each channel; arguments as for `GlobalAveragePooling3D`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.GlobalAveragePooling2D()(nb3d.Input((8, 8, 3))).shape
        (None, 3)

    Source: https://keras.io/api/layers/pooling_layers/global_average_pooling2d/
    """

    rank = 2


@LAYERS.register("GlobalAvgPool3D")
class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean voxel of each channel.

    Args:
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        keepdims: Whether the spatial axes stay, with size 1.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Output shape: ``(batch, channels)``, or that of a volume of one voxel with `keepdims`.

    Example:
        >>> import nb3d
        >>> nb3d.layers.GlobalAveragePooling3D(keepdims=True)(nb3d.Input((8, 8, 8, 3))).shape
        (None, 1, 1, 1, 3)

    Source: https://keras.io/api/layers/pooling_layers/global_average_pooling3d/
    """

    rank = 3


GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
