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

    def __getitem__(self, rows: slice) -> Array:
        """Returns neighbours along the first axis."""
        begin, end, step = rows.indices(self.shape[0])
        if step != 1:
            raise ValueError(f"Expected neighbouring rows, got a step of {step}.")
        row = self.nbytes // max(self.shape[0], 1)
        return self.part(begin * row, (max(end - begin, 0), *self.shape[1:]), self.dtype)

    def part(self, offset: int, shape: tuple[int, ...], dtype: str | np.dtype) -> Array:
        """Returns an array that begins ``offset`` bytes into this one.

        Raises:
            ValueError: If it does not lie inside.
        """
        part = Array(self.address + offset, shape, np.dtype(dtype), self.owner)
        if offset < 0 or offset + part.nbytes > self.nbytes:
            raise ValueError(f"{part.nbytes} bytes from {offset} on do not lie in an array of {self.nbytes} bytes.")
        return part
