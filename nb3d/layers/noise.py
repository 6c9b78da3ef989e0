"""Noise in training, nothing otherwise."""

from __future__ import annotations

import math
from typing import Any

from nb3d import ops
from nb3d.layers.arguments import check_integer, check_number
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS
from nb3d.ops.random import SeedGenerator, normal_like


class _Noise(Layer):
    """A layer that draws normally distributed numbers in training, anew in every run."""

    supports_masking = True

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = None if seed is None else check_integer(seed, "seed", minimum=0)
        self.seed_generator = SeedGenerator(self.seed)


@LAYERS.register()
class GaussianNoise(_Noise):
    """Adds numbers of mean 0 in training; the input itself otherwise.

    Args:
        stddev: Standard deviation of the numbers, between 0 and 1.
        seed: Integer for reproducible numbers.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> nb3d.layers.GaussianNoise(0.1)(nb3d.Input((8, 8, 8, 3))).shape
        (None, 8, 8, 8, 3)

    Source: https://keras.io/api/layers/regularization_layers/gaussian_noise/
    """

    config_fields = ("stddev", "seed")

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.stddev = check_number(stddev, "stddev", 0, 1)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training or self.stddev == 0:
            return inputs
        return ops.add(inputs, normal_like(inputs, self.seed_generator) * self.stddev)


@LAYERS.register()
class GaussianDropout(_Noise):
    """Multiplies with numbers of mean 1 in training; the input itself otherwise.

    Args:
        rate: As in `Dropout`: the standard deviation is ``sqrt(rate / (1 - rate))``.
        seed: Integer for reproducible numbers.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If an argument is not as above; in training, if `rate` is 1.

    Example:
        >>> import nb3d
        >>> nb3d.layers.GaussianDropout(0.1)(nb3d.Input((8, 8, 8, 3))).shape
        (None, 8, 8, 8, 3)

    Source: https://keras.io/api/layers/regularization_layers/gaussian_dropout/; Srivastava et al., 2014
    """

    config_fields = ("rate", "seed")

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.rate = check_number(rate, "rate", 0, 1)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            raise ValueError(f"Layer {self.name!r}: a `rate` of 1 asks for infinite noise.")
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return ops.multiply(inputs, normal_like(inputs, self.seed_generator) * stddev + 1)
