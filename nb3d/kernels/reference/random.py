"""Random operations: the generator is a parameter, so the same seed gives the same run."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.family import serve


def dropout(
    x: np.ndarray, out: np.ndarray, scratch: np.ndarray,
    rate: float, noise_shape: tuple[int, ...], generator: np.random.Generator,
) -> None:  # fmt: skip
    """Zeroes a share ``rate`` of the values and scales the rest so that the mean stays."""
    kept = generator.random(noise_shape) >= rate
    scale = 0.0 if rate >= 1.0 else 1.0 / (1.0 - rate)
    out[...] = np.where(kept, x * x.dtype.type(scale), x.dtype.type(0))


def normal(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, generator: np.random.Generator) -> None:
    """Normally distributed numbers in the shape of ``x``, whose values are not read."""
    out[...] = generator.standard_normal(out.shape)


KERNELS: dict[str, Kernel] = {"dropout": dropout, "normal": normal}

accepts, load = serve(KERNELS)
