"""Initial values of weights: callables ``(shape, dtype=None)`` that return an array.

Example:
    >>> import nb3d
    >>> nb3d.initializers.get("ones")((2,))
    array([1., 1.], dtype=float32)
    >>> nb3d.initializers.get({"class_name": "Constant", "config": {"value": 3.0}})((2,))
    array([3., 3.], dtype=float32)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from nb3d.engine.identifiers import Configured, Identifiers
from nb3d.engine.settings import SETTINGS
from nb3d.ops.random import shared_generator

INITIALIZERS = Identifiers("initializer")

# The standard deviation of a normal distribution that is cut at two of its standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer(Configured):
    """Base of the initializers: ``(shape, dtype) -> array``."""

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> np.ndarray:
        """The values.

        Args:
            shape: Sizes.
            dtype: Name of the dtype; the default float type where absent.
            **kwargs: Accepted for the sake of older code (``partition_info``), and ignored.
        """
        return np.asarray(self._values(tuple(shape)), dtype or SETTINGS.floatx())

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        """The values in any float dtype; to be overridden."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The initializer that `get_config` described; Keras 2 stored a dtype too, which is the weight's own matter."""
        return cls(**{key: value for key, value in config.items() if key != "dtype"})


@INITIALIZERS.register_class("zero")
class Zeros(Initializer):
    """Zeros."""

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape)


@INITIALIZERS.register_class("one")
class Ones(Initializer):
    """Ones."""

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.ones(shape)


@INITIALIZERS.register_class()
class Constant(Initializer):
    """One value everywhere.

    Args:
        value: A number, or an array that broadcasts to the weight's shape.
    """

    config_fields = ("value",)

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.value), shape)


@INITIALIZERS.register_class("IdentityInitializer")
class Identity(Initializer):
    """The identity matrix.

    Args:
        gain: Factor.

    Raises:
        ValueError: When called, if the shape is not that of a matrix.
    """

    config_fields = ("gain",)

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity initializes matrices: expected a shape of 2 sizes, got {shape}.")
        return self.gain * np.eye(*shape)


class RandomInitializer(Initializer):
    """Base of those that draw numbers.

    Args:
        seed: An integer for the same values at every call; otherwise those of `nb3d.utils.set_random_seed`.
    """

    config_fields: tuple[str, ...] = ("seed",)

    def __init__(self, seed: int | Mapping[str, Any] | None = None) -> None:
        if isinstance(seed, Mapping):  # Keras 3 writes a SeedGenerator so
            seed = seed.get("config", {}).get("seed")
        if seed is not None and not isinstance(seed, int | np.integer):
            raise ValueError(f"The `seed` argument must be an integer or None. Received: {seed!r}")
        self.seed = seed

    def generator(self) -> np.random.Generator:
        """Where the numbers come from."""
        return shared_generator() if self.seed is None else np.random.default_rng(int(self.seed))


@INITIALIZERS.register_class("normal")
class RandomNormal(RandomInitializer):
    """Normally distributed numbers.

    Args:
        mean: Mean.
        stddev: Standard deviation.
        seed: Integer for the same values at every call.
    """

    config_fields = ("mean", "stddev", "seed")

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.generator().normal(self.mean, self.stddev, shape)


@INITIALIZERS.register_class()
class TruncatedNormal(RandomNormal):
    """Normally distributed numbers, those beyond two standard deviations drawn again."""

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.mean + self.stddev * truncated_normal(self.generator(), shape)


@INITIALIZERS.register_class("uniform")
class RandomUniform(RandomInitializer):
    """Uniformly distributed numbers.

    Args:
        minval: Lower end.
        maxval: Upper end.
        seed: Integer for the same values at every call.
    """

    config_fields = ("minval", "maxval", "seed")

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.generator().uniform(self.minval, self.maxval, shape)


@INITIALIZERS.register_class()
class VarianceScaling(RandomInitializer):
    """Numbers whose variance follows from the number of inputs or outputs of a weight.

    Args:
        scale: The variance, times `n`.
        mode: What `n` is: ``'fan_in'``, ``'fan_out'``, or their mean, ``'fan_avg'``.
        distribution: ``'truncated_normal'`` (also ``'normal'``), ``'untruncated_normal'`` or ``'uniform'``.
        seed: Integer for the same values at every call.
        input_axes: Axes of a weight that count as inputs; those of a convolution kernel where absent.
        output_axes: Axes of a weight that count as outputs.

    Raises:
        ValueError: If an argument is none of these.
    """

    config_fields: tuple[str, ...] = ("scale", "mode", "distribution", "seed", "input_axes", "output_axes")

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        if not scale > 0:
            raise ValueError(f"The `scale` argument must be a positive float. Received: {scale!r}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"The `mode` argument must be 'fan_in', 'fan_out' or 'fan_avg'. Received: {mode!r}")
        self.distribution = {"normal": "truncated_normal"}.get(distribution, distribution)
        if self.distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                "The `distribution` argument must be 'truncated_normal', 'untruncated_normal' or 'uniform'. "
                f"Received: {distribution!r}"
            )
        self.scale, self.mode = scale, mode
        self.input_axes, self.output_axes = input_axes, output_axes

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, count)
        generator = self.generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return generator.normal(0.0, math.sqrt(variance), shape)
        return math.sqrt(variance) / _TRUNCATED_STDDEV * truncated_normal(generator, shape)


class _NamedScaling(VarianceScaling):
    """A `VarianceScaling` with a name of its own.

    Args:
        seed: Integer for the same values at every call.
        input_axes: Axes of a weight that count as inputs; those of a convolution kernel where absent.
        output_axes: Axes of a weight that count as outputs.
    """

    config_fields = ("seed", "input_axes", "output_axes")
    _scaling: ClassVar[tuple[float, str, str]]

    def __init__(
        self, seed: Any = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
    ) -> None:
        super().__init__(*self._scaling, seed, input_axes, output_axes)


@INITIALIZERS.register_class()
class GlorotNormal(_NamedScaling):
    """Normally distributed with variance ``2 / (fan_in + fan_out)`` (Glorot and Bengio, 2010)."""

    _scaling = (1.0, "fan_avg", "truncated_normal")


@INITIALIZERS.register_class()
class GlorotUniform(_NamedScaling):
    """Uniform within ``sqrt(6 / (fan_in + fan_out))`` of 0 (Glorot and Bengio, 2010)."""

    _scaling = (1.0, "fan_avg", "uniform")


@INITIALIZERS.register_class()
class HeNormal(_NamedScaling):
    """Normally distributed with variance ``2 / fan_in`` (He et al., 2015)."""

    _scaling = (2.0, "fan_in", "truncated_normal")


@INITIALIZERS.register_class()
class HeUniform(_NamedScaling):
    """Uniform within ``sqrt(6 / fan_in)`` of 0 (He et al., 2015)."""

    _scaling = (2.0, "fan_in", "uniform")


@INITIALIZERS.register_class()
class LecunNormal(_NamedScaling):
    """Normally distributed with variance ``1 / fan_in`` (LeCun et al., 1998)."""

    _scaling = (1.0, "fan_in", "truncated_normal")


@INITIALIZERS.register_class()
class LecunUniform(_NamedScaling):
    """Uniform within ``sqrt(3 / fan_in)`` of 0 (LeCun et al., 1998)."""

    _scaling = (1.0, "fan_in", "uniform")


@INITIALIZERS.register_class("OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """A random orthogonal matrix; of a kernel, the matrix of its last axis by all others (Saxe et al., 2014).

    Args:
        gain: Factor.
        seed: Integer for the same values at every call.

    Raises:
        ValueError: When called, if the shape has fewer than two sizes.
    """

    config_fields = ("gain", "seed")

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal initializes matrices and kernels: expected 2 sizes or more, got {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self.generator().normal(size=(max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # makes the decomposition unique, so that all rotations are equally likely
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


def truncated_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers, those beyond 2 drawn again."""
    values = generator.standard_normal(shape)
    outside = np.abs(values) > 2
    while outside.any():
        values[outside] = generator.standard_normal(int(outside.sum()))
        outside = np.abs(values) > 2
    return values


def compute_fans(
    shape: tuple[int, ...], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """Inputs and outputs of a weight: of a kernel ``(..., in, out)`` with the voxels of its window counted in."""
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


# The lower-case names that Keras has too.
zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
random_normal, random_uniform, variance_scaling = RandomNormal, RandomUniform, VarianceScaling
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform


def get(identifier: Any) -> Any:
    """The initializer that an argument means.

    Args:
        identifier: A name (``'he_normal'``, ``'HeNormal'``), a config, a class, a callable ``(shape, dtype=...)``, an
            array of values, or ``None``.

    Raises:
        ValueError: If there is no such initializer.
    """
    return Constant(identifier) if isinstance(identifier, np.ndarray) else INITIALIZERS.get(identifier)


def serialize(initializer: Any) -> Any:
    """The initializer as ``{"class_name", "config"}``, or the name of a function."""
    return INITIALIZERS.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer that `serialize` wrote down."""
    return INITIALIZERS.deserialize(config, custom_objects)
