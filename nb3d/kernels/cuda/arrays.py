"""Arrays of the GPU as kernels' launches see them: an address, a shape, a dtype, and what keeps the memory alive."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Array:
    """A C-contiguous array in the memory of a GPU.

    Attributes:
        address: Where it begins; 0 for an absent operand.
        shape: Its sizes.
        dtype: Its dtype.
        owner: Whatever must live as long as the memory.
    """

    address: int
    shape: tuple[int, ...]
    dtype: np.dtype
    owner: Any = field(default=None, repr=False, compare=False)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Number of bytes."""
        return self.size * self.dtype.itemsize

    def part(self, offset: int, shape: tuple[int, ...], dtype: str | np.dtype) -> Array:
        """Returns an array that begins ``offset`` bytes into this one.

        Raises:
            ValueError: If it does not lie inside.
        """
        part = Array(self.address + offset, shape, np.dtype(dtype), self.owner)
        if offset < 0 or offset + part.nbytes > self.nbytes:
            raise ValueError(f"{part.nbytes} bytes from {offset} on do not lie in an array of {self.nbytes} bytes.")
        return part
