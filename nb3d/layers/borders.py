"""Layers that add or cut voxels around a volume."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.layers.registry import LAYERS
from nb3d.layers.spatial_layer import SpatialLayer
from nb3d.ops.resampling import margins


class ZeroPadding(SpatialLayer):
    """Adds zeros along `rank` axes; its arguments are explained in `nb3d.layers.ZeroPadding3D`."""

    config_fields = ("padding", "data_format")

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding: Any = margins(padding, "padding", self.rank)

    def call(self, inputs: Any) -> Any:
        return ops.zero_pad(inputs, self.padding, self.data_format)


@LAYERS.register()
class ZeroPadding1D(ZeroPadding):
    """Adds zeros before and after a sequence.

    Args:
        padding: Steps: one integer, or a pair ``(before, after)``.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.ZeroPadding1D((1, 2))(nb3d.Input((4, 1))).shape
        (None, 7, 1)

    Source: https://keras.io/api/layers/reshaping_layers/zero_padding1d/
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(_nested(padding), data_format, **kwargs)
        (self.padding,) = self.padding

    def call(self, inputs: Any) -> Any:
        return ops.zero_pad(inputs, (self.padding,), self.data_format)


@LAYERS.register()
class ZeroPadding2D(ZeroPadding):
    """Adds zeros around an image.

    Args:
        padding: Pixels: one integer, two (one per axis), or two pairs ``(before, after)``.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.ZeroPadding2D(((1, 0), (2, 2)))(nb3d.Input((4, 4, 1))).shape
        (None, 5, 8, 1)

    Source: https://keras.io/api/layers/reshaping_layers/zero_padding2d/
    """

    rank = 2


@LAYERS.register()
class ZeroPadding3D(ZeroPadding):
    """Adds zeros around a volume.

    Args:
        padding: Voxels: one integer, three (one per axis), or three pairs ``(before, after)``.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> nb3d.layers.ZeroPadding3D(((1, 0), (0, 0), (2, 2)))(nb3d.Input((4, 4, 4, 1))).shape
        (None, 5, 4, 8, 1)

    Source: https://keras.io/api/layers/reshaping_layers/zero_padding3d/
    """

    rank = 3


class Cropping(SpatialLayer):
    """Cuts voxels off along `rank` axes; its arguments are explained in `nb3d.layers.Cropping3D`."""

    config_fields: tuple[str, ...] = ("cropping", "data_format")

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.cropping: Any = margins(cropping, "cropping", self.rank)

    def call(self, inputs: Any) -> Any:
        return ops.crop(inputs, self.cropping, self.data_format)


@LAYERS.register()
class Cropping1D(Cropping):
    """Cuts steps off before and after a sequence.

    Args:
        cropping: Steps: one integer, or a pair ``(before, after)``.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, steps, channels)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Cropping1D((1, 2))(nb3d.Input((8, 1))).shape
        (None, 5, 1)

    Source: https://keras.io/api/layers/reshaping_layers/cropping1d/
    """

    rank = 1
    config_fields = ("cropping",)

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(_nested(cropping), "channels_last", **kwargs)
        (self.cropping,) = self.cropping

    def call(self, inputs: Any) -> Any:
        return ops.crop(inputs, (self.cropping,), self.data_format)


@LAYERS.register()
class Cropping2D(Cropping):
    """Cuts pixels off around an image.

    Args:
        cropping: Pixels: one integer, two (one per axis), or two pairs ``(before, after)``.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Cropping2D((1, 2))(nb3d.Input((8, 8, 1))).shape
        (None, 6, 4, 1)

    Source: https://keras.io/api/layers/reshaping_layers/cropping2d/
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


@LAYERS.register()
class Cropping3D(Cropping):
    """Cuts voxels off around a volume.

    Args:
        cropping: Voxels: one integer, three (one per axis), or three pairs ``(before, after)``.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Raises:
        ValueError: If an argument is not as above; when called, if nothing is left.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Cropping3D((1, 0, 2))(nb3d.Input((8, 8, 8, 1))).shape
        (None, 6, 8, 4, 1)

    Source: https://keras.io/api/layers/reshaping_layers/cropping3d/
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


def _nested(amount: Any) -> Any:
    """A pair of steps as the pairs of one axis."""
    return amount if isinstance(amount, int) else (amount,)
