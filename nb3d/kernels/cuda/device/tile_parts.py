"""What the two kinds of tile kernels do differently: see ``conv_tile.py``, ``tile_float32.py``, ``tile_tensor.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DEPTH = 16  # positions of the sum in one step


@dataclass(frozen=True)
class TileParts:
    """Numbers, and device functions. Of a thread, unless they say otherwise.

    Attributes:
        threads: Of a block.
        sums: In registers.
        weight_bytes: Of the weights of a block and a step.
        origin: ``(group, step, column, steps, padded)`` -> word of the weights where a block's part of a step begins.
        pace: ``(padded)`` -> words from one step to the next.
        piece: ``(chunk, steps, padded)`` -> words from the origin, and bytes in shared memory, of 16 bytes of weights.
        begin: ``(t)`` -> where it reads voxels, where weights, in bytes of shared memory, and how chunks are permuted.
        step: ``(total, voxels, weights, twist)`` adds a step to its sums.
        spill: ``(total, mine)`` puts its sums into shared memory, fours ``threads`` times 16 bytes apart.
        place: ``(t, four)`` -> row and column of the tile that a four belongs to.
    """

    threads: int
    sums: int
    weight_bytes: int
    origin: Callable[..., Any]
    pace: Callable[..., Any]
    piece: Callable[..., Any]
    begin: Callable[..., Any]
    step: Callable[..., Any]
    spill: Callable[..., Any]
    place: Callable[..., Any]
