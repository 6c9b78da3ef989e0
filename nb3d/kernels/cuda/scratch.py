"""Cutting the scratch of a kernel into arrays."""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels.cuda.arrays import Array

ALIGNMENT = 256


def aligned(size: int) -> int:
    """Returns the bytes that ``Cutter`` takes for an array of ``size`` bytes."""
    return -(-size // ALIGNMENT) * ALIGNMENT


class Cutter:
    """Arrays one behind the other, each aligned.

    Args:
        scratch: The bytes to cut.
    """

    def __init__(self, scratch: Array) -> None:
        self._scratch = scratch
        self._taken = 0

    def array(self, shape: tuple[int, ...], dtype: str | np.dtype) -> Array:
        """Returns the next array.

        Raises:
            ValueError: If the scratch is too small.
        """
        part = self._scratch.part(self._taken, shape, dtype)
        self._taken += aligned(math.prod(shape) * np.dtype(dtype).itemsize)
        return part

    def rest(self) -> Array:
        """Returns the bytes that nobody has taken."""
        left = max(self._scratch.nbytes - self._taken, 0)
        return Array(self._scratch.address + self._taken, (left,), np.dtype("uint8"), self._scratch.owner)
