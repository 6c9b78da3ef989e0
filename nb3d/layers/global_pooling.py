"""Global pooling: one number per channel."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.layers.arguments import check_data_format
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS


class BaseGlobalPooling(Layer):
    """A layer that makes one voxel of a volume.

    Args:
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        keepdims: Whether the spatial axes stay, with size 1.
        **kwargs: Arguments of `Layer`.
    """

    config_fields = ("data_format", "keepdims")

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format)
        self.keepdims = bool(keepdims)
        self.input_spec = InputSpec(ndim=5)

    @property
    def spatial_axes(self) -> tuple[int, int, int]:
        """Depth, height and width."""
        return (1, 2, 3) if self.data_format == "channels_last" else (2, 3, 4)


@LAYERS.register("GlobalMaxPool3D")
class GlobalMaxPooling3D(BaseGlobalPooling):
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

    def call(self, inputs: Any) -> Any:
        return ops.max(inputs, axis=self.spatial_axes, keepdims=self.keepdims)


@LAYERS.register("GlobalAvgPool3D")
class GlobalAveragePooling3D(BaseGlobalPooling):
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

    def call(self, inputs: Any) -> Any:
        return ops.mean(inputs, axis=self.spatial_axes, keepdims=self.keepdims)


GlobalMaxPool3D, GlobalAvgPool3D = GlobalMaxPooling3D, GlobalAveragePooling3D
