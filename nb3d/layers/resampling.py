"""Layers of more voxels: repeated ones, or straight lines between them."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.layers.registry import LAYERS
from nb3d.layers.spatial_layer import SpatialLayer
from nb3d.ops.shapes import integers

_LINEAR = ("linear", "bilinear", "trilinear")


class UpSampling(SpatialLayer):
    """Makes `rank` axes longer; its arguments are explained in `nb3d.layers.UpSampling3D`."""

    config_fields: tuple[str, ...] = ("size", "data_format")

    def __init__(
        self, size: Any = 2, data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.size: Any = integers(size, "size", self.rank)
        self.interpolation = check_interpolation(interpolation)

    def call(self, inputs: Any) -> Any:
        kind = "linear" if self.interpolation in _LINEAR else "nearest"
        return ops.upsample(inputs, self.size, self.data_format, kind)


def check_interpolation(interpolation: Any) -> str:
    """``'nearest'``, or a name of linear interpolation.

    Raises:
        ValueError: If it is neither.
    """
    name = str(interpolation).lower()
    if name not in ("nearest", *_LINEAR):
        raise ValueError(
            f"The `interpolation` argument must be 'nearest' or one of {_LINEAR}. Received: {interpolation!r}"
        )
    return name


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
    """Repeats every pixel, or draws straight lines between them.

    Args:
        size: How often along height and width; one integer for both.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        interpolation: ``'nearest'`` or ``'bilinear'``.
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


@LAYERS.register()
class UpSampling3D(UpSampling):
    """Makes volumes larger: repeats every voxel, or draws straight lines between them.

    Args:
        size: How often along depth, height and width; one integer for all.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        interpolation: ``'nearest'`` repeats voxels, which is all that Keras has in three dimensions; ``'linear'``
            (``'bilinear'`` and ``'trilinear'`` mean the same) is what Keras' `UpSampling2D` does, along all three axes:
            centres of voxels lie half a voxel from the border.
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

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer; the interpolation only where Keras does not have it, so that it can read them."""
        other = {} if self.interpolation == "nearest" else {"interpolation": "linear"}
        return {**super().get_config(), **other}
