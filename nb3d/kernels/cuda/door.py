"""The only module that imports Numba's CUDA, and the only one that says how CUDA kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import cuda as cuda

THREADS = 256  # of a block: eight warps, enough to hide memory latency at any register count of these kernels
MOST_BLOCKS = 1 << 16  # a thread walks on with the stride of the grid


def kernel(function: Callable[..., Any]) -> Any:
    """Marks a CUDA kernel; contracting to fused multiply-adds is the only freedom it takes."""
    return cuda.jit(function, fastmath=False)


def blocks_for(count: int) -> int:
    """Returns how many blocks a pass over ``count`` values launches."""
    return max(1, min(-(-count // THREADS), MOST_BLOCKS))
