"""Arrays as kernels want them: their address, and memory that begins on a cache line."""

from __future__ import annotations

import numpy as np

CACHE_LINE = 64


def address(array: np.ndarray) -> int:
    """Returns where the values of an array begin; 0 for an absent operand."""
    return int(array.__array_interface__["data"][0]) if array.size else 0


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Returns zeros that begin on a cache line."""
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = np.zeros(size + CACHE_LINE, np.uint8)
    begin = -memory.ctypes.data % CACHE_LINE
    return memory[begin : begin + size].view(dtype).reshape(shape)


def round_up(size: int) -> int:
    """Returns ``size`` in whole cache lines."""
    return -(-size // CACHE_LINE) * CACHE_LINE
