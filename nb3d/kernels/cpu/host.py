"""This machine's vectors: how wide, how many. Data for the choice of register tiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import llvmlite.binding as llvm


@dataclass(frozen=True)
class Vectors:
    """Vector registers: ``size`` bytes each, ``count`` of them."""

    size: int
    count: int


# The first line whose feature the host has; the last one is for SSE2, NEON and everything else with 128 bits.
_MACHINES: tuple[tuple[str, Vectors], ...] = (
    ("avx512f", Vectors(64, 32)),
    ("avx2", Vectors(32, 16)),
    ("avx", Vectors(32, 16)),
    ("neon", Vectors(16, 32)),
)
_SMALLEST = Vectors(16, 16)


@cache
def vectors() -> Vectors:
    """Returns the vector registers of the host."""
    features = llvm.get_host_cpu_features()
    return next((vectors for feature, vectors in _MACHINES if features.get(feature)), _SMALLEST)
