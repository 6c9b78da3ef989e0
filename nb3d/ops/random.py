"""Operations that draw random numbers: every run draws anew."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.operation import operation


class SeedGenerator:
    """A source of random numbers that may be drawn from in several threads.

    Args:
        seed: An integer for reproducible numbers; ``None`` for the numbers of `nb3d.utils.set_random_seed`.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self._own = None if seed is None else np.random.default_rng(seed)
        self._lock = threading.Lock()

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        """Uniform numbers in [0, 1)."""
        with self._lock:
            return (self._own or _shared.generator).random(shape)

    def standard_normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """Numbers of mean 0 and variance 1."""
        with self._lock:
            return (self._own or _shared.generator).standard_normal(shape)

    def __deepcopy__(self, memo: dict[int, Any]) -> SeedGenerator:
        return SeedGenerator(self.seed)


class _Shared:
    """The generator behind everything that has no seed of its own."""

    @cached_property
    def generator(self) -> np.random.Generator:
        """Made when it is first asked for: NumPy loads its random numbers only then."""
        return np.random.default_rng()


_shared = _Shared()


def set_random_seed(seed: int) -> None:
    """Makes everything random in nb3d reproducible: initial weights and dropout."""
    _shared.generator = np.random.default_rng(seed)


def shared_generator() -> np.random.Generator:
    """The generator of everything that has no seed of its own."""
    return _shared.generator


def _dropout_spec(x: TensorSpec, rate: float, noise_shape: Any, generator: SeedGenerator) -> TensorSpec:
    if not 0 <= rate <= 1:
        raise ValueError(f"The `rate` argument must be between 0 and 1. Received: {rate!r}")
    if noise_shape is not None and len(noise_shape) != len(x.shape):
        raise ValueError(f"The `noise_shape` argument must have {len(x.shape)} entries. Received: {noise_shape!r}")
    return x


def _dropout_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    noise = attrs["noise_shape"] or (None,) * len(out.shape)
    sizes = tuple(size if wanted is None else wanted for size, wanted in zip(out.shape, noise, strict=True))
    return attrs["rate"], sizes, attrs["generator"]


DROPOUT = Op("dropout", _dropout_spec, _dropout_params, stateful=True)


@operation("Dropout")
def dropout(x: Any, rate: float, noise_shape: Any = None, seed: int | SeedGenerator | None = None) -> Any:
    """Zeros with probability `rate`, all else divided by ``1 - rate``.

    Args:
        x: Tensor or array.
        rate: Share of values that are dropped.
        noise_shape: Shape of the mask, broadcast to that of `x`; ``None`` entries take the size of `x`.
        seed: Integer or `SeedGenerator`.
    """
    generator = seed if isinstance(seed, SeedGenerator) else SeedGenerator(seed)
    noise = None if noise_shape is None else tuple(noise_shape)
    return apply(DROPOUT, x, rate=float(rate), noise_shape=noise, generator=generator)


def _generator(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return (attrs["generator"],)


NORMAL = Op("normal", lambda x, generator: x, _generator, stateful=True)


def normal_like(x: Any, generator: SeedGenerator) -> Any:
    """Normally distributed numbers of mean 0 and variance 1 in the shape of `x`."""
    return apply(NORMAL, x, generator=generator)
