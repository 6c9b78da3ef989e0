"""Dropout: random zeros in training, nothing otherwise."""

from __future__ import annotations

from typing import Any, ClassVar

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.layers.arguments import check_data_format, check_integer, check_number
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS
from nb3d.ops.random import SeedGenerator

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
NoiseShape = tuple[int | None, ...] | None


@LAYERS.register()
class Dropout(Layer):
    """Zeros with probability `rate`, all else divided by ``1 - rate``, in training; the input itself otherwise.

    Called with ``training=True`` it draws anew in every run: that is Monte-Carlo dropout.

    Args:
        rate: Share of values that are dropped.
        noise_shape: Shape of the mask, broadcast to the input; ``None`` entries take the size of the input.
        seed: Integer for reproducible masks.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d, numpy as np
        >>> layer = nb3d.layers.Dropout(0.5, seed=1)
        >>> layer(np.ones(4, "float32"))
        array([1., 1., 1., 1.], dtype=float32)
        >>> sorted(set(layer(np.ones(99, "float32"), training=True).tolist()))
        [0.0, 2.0]

    Source: https://keras.io/api/layers/regularization_layers/dropout/
    """

    config_fields: tuple[str, ...] = ("rate", "noise_shape", "seed")
    supports_masking = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = check_number(rate, "rate", 0, 1)
        self.noise_shape = _check_noise_shape(noise_shape)
        self.seed = None if seed is None else check_integer(seed, "seed", minimum=0)
        self.seed_generator = SeedGenerator(self.seed)

    def noise_shape_of(self, inputs: Any) -> NoiseShape:
        """The shape of the mask, ``None`` for that of the input."""
        return self.noise_shape

    def dropped(self, inputs: Any) -> Any:
        """What training makes of the input."""
        return ops.dropout(inputs, self.rate, self.noise_shape_of(inputs), self.seed_generator)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.dropped(inputs) if training and self.rate > 0 else inputs


@LAYERS.register()
class AlphaDropout(Dropout):
    """Dropout that keeps mean and variance of self-normalizing activations (`selu`) in training.

    Args:
        rate: Share of values that take the lower limit of `selu`.
        noise_shape: Shape of the mask, broadcast to the input; ``None`` entries take the size of the input.
        seed: Integer for reproducible masks.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If an argument is not as above; in training, if `rate` is 1.

    Example:
        >>> import nb3d
        >>> nb3d.layers.AlphaDropout(0.1)(nb3d.Input((8,))).shape
        (None, 8)

    Source: https://keras.io/api/layers/regularization_layers/alpha_dropout/; Klambauer et al., 2017
    """

    def dropped(self, inputs: Any) -> Any:
        if self.rate == 1:
            raise ValueError(f"Layer {self.name!r}: a `rate` of 1 leaves nothing to normalize.")
        lowest = -_SELU_ALPHA * _SELU_SCALE
        factor = ((1 - self.rate) * (1 + self.rate * lowest**2)) ** -0.5
        kept = ops.dropout(ops.ones_like(inputs), self.rate, self.noise_shape_of(inputs), self.seed_generator)
        return ops.where(kept > 0, inputs, lowest) * factor - factor * lowest * self.rate


class SpatialDropout(Dropout):
    """Drops whole channels of `rank` spatial axes in training; see `Dropout`."""

    rank: ClassVar[int]
    config_fields: tuple[str, ...] = ("rate", "data_format", "seed")

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.data_format = check_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def noise_shape_of(self, inputs: Any) -> NoiseShape:
        ones = (1,) * self.rank
        return (None, *ones, None) if self.data_format == "channels_last" else (None, None, *ones)

    def get_config(self) -> dict[str, Any]:
        """The arguments, without `trainable`: Keras 3 does not take it here, and there is nothing to train."""
        config = super().get_config()
        del config["trainable"]
        return config


@LAYERS.register()
class SpatialDropout1D(SpatialDropout):
    """Drops whole channels of sequences in training; see `Dropout`.

    Args:
        rate: Share of channels that are dropped.
        seed: Integer for reproducible masks.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, steps, channels)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.SpatialDropout1D(0.5)(nb3d.Input((8, 3))).shape
        (None, 8, 3)

    Source: https://keras.io/api/layers/regularization_layers/spatial_dropout1d/
    """

    rank = 1
    config_fields = ("rate", "seed")

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, "channels_last", seed, **kwargs)


@LAYERS.register()
class SpatialDropout2D(SpatialDropout):
    """Drops whole channels of images in training; see `SpatialDropout3D`.

    Input shape: ``(batch, height, width, channels)``, or ``(batch, channels, height, width)``.

    Example:
        >>> import nb3d
        >>> nb3d.layers.SpatialDropout2D(0.5)(nb3d.Input((8, 8, 3))).shape
        (None, 8, 8, 3)

    Source: https://keras.io/api/layers/regularization_layers/spatial_dropout2d/
    """

    rank = 2


@LAYERS.register()
class SpatialDropout3D(SpatialDropout):
    """Drops whole channels of volumes in training; see `Dropout`.

    Args:
        rate: Share of channels that are dropped.
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        seed: Integer for reproducible masks.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, depth, height, width, channels)``, or ``(batch, channels, depth, height, width)``.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> nb3d.layers.SpatialDropout3D(0.5)(nb3d.Input((8, 8, 8, 3))).shape
        (None, 8, 8, 8, 3)

    Source: https://keras.io/api/layers/regularization_layers/spatial_dropout3d/
    """

    rank = 3


def _check_noise_shape(shape: Any) -> NoiseShape:
    if shape is None:
        return None
    try:
        return tuple(None if size is None else check_integer(size, "noise_shape") for size in shape)
    except TypeError:
        raise ValueError(
            f"The `noise_shape` argument must be a tuple of integers and None. Received: {shape!r}"
        ) from None
