"""Layers that repeat voxels."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.layers.registry import LAYERS
from nb3d.layers.spatial_layer import SpatialLayer
from nb3d.ops.shapes import integers


class UpSampling(SpatialLayer):
    """Repeats values along `rank` axes; its arguments are explained in `nb3d.layers.UpSampling3D`."""

    config_fields: tuple[str, ...] = ("size", "data_format")

    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.size: Any = integers(size, "size", self.rank)

    def call(self, inputs: Any) -> Any:
        return ops.upsample(inputs, self.size, self.data_format)


@LAYERS.register()
class UpSampling1D(UpSampling):
    """Repeats every step.

    Args:
        size: How often.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, steps, channels)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.UpSampling1D(3)(nb3d.Input((4, 1))).shape
        (None, 12, 1)

    Source: https://keras.io/api/layers/reshaping_layers/up_sampling1d/
    """

    rank = 1
    config_fields = ("size",)

    def __init__(self, size: Any = 2, **kwargs: Any) -> None:
        super().__init__(size, "channels_last", **kwargs)
        (self.size,) = self.size


@LAYERS.register()
class UpSampling2D(UpSampling):
    """Repeats every pixel.

    Args:
        size: How often along height and width; one integer for both.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        interpolation: ``'nearest'``.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.UpSampling2D((2, 3))(nb3d.Input((4, 4, 1))).shape
        (None, 8, 12, 1)

    Source: https://keras.io/api/layers/reshaping_layers/up_sampling2d/
    """

    rank = 2
    config_fields = ("size", "data_format", "interpolation")

    def __init__(
        self, size: Any = 2, data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        if interpolation != "nearest":
            raise ValueError(f"The `interpolation` argument must be 'nearest'. Received: {interpolation!r}")
        self.interpolation = interpolation


@LAYERS.register()
class UpSampling3D(UpSampling):
    """Repeats every voxel.

    Args:
        size: How often along depth, height and width; one integer for all.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> nb3d.layers.UpSampling3D((1, 2, 3))(nb3d.Input((4, 4, 4, 1))).shape
        (None, 4, 8, 12, 1)

    Source: https://keras.io/api/layers/reshaping_layers/up_sampling3d/
    """

    rank = 3
