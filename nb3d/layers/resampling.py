"""Layers that make volumes larger or smaller: upsampling, padding, cropping."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.layers.arguments import check_data_format
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS
from nb3d.ops.resampling import margins
from nb3d.ops.shapes import triple

_ONE_VOXEL = ((1, 1), (1, 1), (1, 1))
_LINEAR = ("linear", "bilinear", "trilinear")


class _SpatialLayer(Layer):
    """A layer that changes the sizes of a volume."""

    def __init__(self, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)


@LAYERS.register()
class UpSampling3D(_SpatialLayer):
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

    config_fields = ("size", "data_format")

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.size = triple(size, "size")
        self.interpolation = check_interpolation(interpolation)

    def call(self, inputs: Any) -> Any:
        return ops.upsample3d(inputs, self.size, self.data_format, self.interpolation)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer; the interpolation only where Keras does not have it, so that it can read them."""
        other = {} if self.interpolation == "nearest" else {"interpolation": self.interpolation}
        return {**super().get_config(), **other}


def check_interpolation(interpolation: Any) -> str:
    """``'nearest'`` or ``'linear'``.

    Raises:
        ValueError: If it is neither, nor a name of the second in two or three dimensions.
    """
    name = str(interpolation).lower()
    if name not in ("nearest", *_LINEAR):
        raise ValueError(
            f"The `interpolation` argument must be 'nearest' or one of {_LINEAR}. Received: {interpolation!r}"
        )
    return "linear" if name in _LINEAR else name


@LAYERS.register()
class ZeroPadding3D(_SpatialLayer):
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

    config_fields = ("padding", "data_format")

    def __init__(self, padding: Any = _ONE_VOXEL, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding = margins(padding, "padding")

    def call(self, inputs: Any) -> Any:
        return ops.pad3d(inputs, self.padding, self.data_format)


@LAYERS.register()
class Cropping3D(_SpatialLayer):
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

    config_fields = ("cropping", "data_format")

    def __init__(self, cropping: Any = _ONE_VOXEL, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.cropping = margins(cropping, "cropping")

    def call(self, inputs: Any) -> Any:
        return ops.crop3d(inputs, self.cropping, self.data_format)
