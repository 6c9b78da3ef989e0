"""This machine's vectors: how wide, how many. Data for the choice of register tiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import llvmlite.binding as llvm
from numba import config


@dataclass(frozen=True)
class Vectors:
    """Vector registers: ``size`` bytes each, ``count`` of them."""

    size: int
    count: int


# The first line whose feature the host has; the last one is for SSE2 and everything else with 128 bits.
_MACHINES: tuple[tuple[str, Vectors], ...] = (
    ("avx512f", Vectors(64, 32)),
    ("avx2", Vectors(32, 16)),
    ("avx", Vectors(32, 16)),
    ("neon", Vectors(16, 32)),
)
_SMALLEST = Vectors(16, 16)
# Their vectors of 64 bytes go through units of 32: two halves cost no more than a whole.
_HALVING = frozenset({"znver4"})
_FUSING = frozenset({"fma", "avx512f", "neon"})


@cache
def _features() -> frozenset[str]:
    """What Numba compiles for: the host, unless its environment variables say otherwise."""
    if config.CPU_FEATURES is not None:
        return frozenset(item[1:] for item in config.CPU_FEATURES.split(",") if item.startswith("+"))
    if config.CPU_NAME == "generic":
        return frozenset()
    return frozenset(name for name, present in llvm.get_host_cpu_features().items() if present)


@cache
def vectors() -> Vectors:
    """Returns the vector registers to compile for."""
    return next((vectors for feature, vectors in _MACHINES if feature in _features()), _SMALLEST)


@cache
def halves_are_free(size: int) -> bool:
    """Returns whether two half vectors take no longer than a whole one of ``size`` bytes."""
    name = llvm.get_host_cpu_name() if config.CPU_NAME is None else config.CPU_NAME
    return size == 64 and name in _HALVING


@cache
def fuses() -> bool:
    """Returns whether a multiply-add is one instruction."""
    return not _FUSING.isdisjoint(_features())
