"""Convolutions by tiles: which there are, which of them computes a case, and how it is divided among blocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nb3d.kernels.case import Case
from nb3d.kernels.cuda.correlations import Correlation, Sizes, correlations, sizes_of
from nb3d.kernels.cuda.launches import MOST_BLOCKS
from nb3d.kernels.cuda.splits import Split, Work, best_split, undivided
from nb3d.kernels.cuda.strides import MOST

DEPTH = 16  # positions of the sum in one step
WIDEST = 64  # filters of a block at most


@dataclass(frozen=True)
class Tile:
    """Voxels and filters of a block, and of a thread, or on tensor cores of a warp.

    Attributes:
        rows: Voxels of a block.
        columns: Filters of a block.
        tall: Voxels of a thread or warp.
        wide: Filters of a thread or warp.
        threads: Of a block.
        speed: FLOP/s that it should reach on an H100, by its reads per multiply-add; an estimate.
        resident: Blocks of a multiprocessor.
    """

    rows: int
    columns: int
    tall: int
    wide: int
    threads: int
    speed: float
    resident: int


@dataclass(frozen=True)
class Kind:
    """One way to multiply.

    Attributes:
        name: Of the kernel's variant.
        precisions: The policy's precisions that ask for it.
        tiles: That there are.
        pieces: Numbers that a weight is the sum of.
        pack: Orders weights ``(group, position of the sum, filter)``; ``padded_filters`` is a multiple of ``narrow``.
        narrow: Filters of the narrowest tile.
        instead: A kind that computes what it is faster at, in any precision.
    """

    name: str
    precisions: tuple[str, ...]
    tiles: tuple[Tile, ...]
    pieces: int
    pack: Callable[[np.ndarray], np.ndarray]
    narrow: int
    instead: Kind | None = None


def why_not(case: Case) -> str | None:
    """Accepts float32 with constant weights, in volumes whose planes can be counted in 32 bits."""
    if any(dtype != "float32" for dtype in (case.out_dtype, *case.dtypes)):
        return f"computes float32 only, got {', '.join((*case.dtypes, case.out_dtype))}"
    if 0 in (*case.out, *case.inputs[0], *case.inputs[1]):
        return "an array is empty"
    if case.constant and not all(case.constant[i] for i in (1, 2) if case.inputs[i] != (0,)):
        return "packs its weights once, and these are not constant"
    sizes = sizes_of(case)
    if math.prod(sizes.out[:4]) > MOST:
        return "has more than 2**31 voxels"
    phases = correlations(case)
    if len(phases) * sizes.groups > MOST_BLOCKS[2]:
        return f"has more than {MOST_BLOCKS[2]} phases or groups"
    plane = math.prod(sizes.x[2:])
    reach = max((abs(at[0]) + 1 for item in phases for _, at in item.taps), default=1)
    if plane * (reach + 1) > MOST:
        return "a window reaches over more than 2**31 values"
    return None


@dataclass(frozen=True)
class Layout:
    """How a case is launched.

    Attributes:
        phases: What is computed; one, but for transposed convolutions.
        tile: Of a block.
        split: How sums are divided.
        blocks: Of the grid, along voxels and along filters.
        begins: Step of the sum at which every phase begins, and the end of the last one.
        padded: ``padded_filters`` of a group.
    """

    phases: tuple[Correlation, ...]
    tile: Tile
    split: Split
    blocks: tuple[int, int]
    begins: tuple[int, ...]
    padded: int

    @property
    def steps(self) -> int:
        """Steps of all phases."""
        return self.begins[-1]


@lru_cache(maxsize=2048)
def layout(kind: Kind, case: Case) -> Layout:
    """Returns the layout of a case that is estimated to be fastest."""
    fitting = [tile for tile in kind.tiles if tile.columns <= padded_filters(kind, sizes_of(case).made)]
    return min((layout_with(kind, tile, case) for tile in fitting), key=lambda item: item.split.seconds)


def padded_filters(kind: Kind, made: int) -> int:
    """Returns the filters of a group, padded to whole blocks of any tile that is not wider."""
    return -(-made // WIDEST) * WIDEST if made > WIDEST // 2 else max(kind.narrow, 1 << (made - 1).bit_length())


def layout_with(kind: Kind, tile: Tile, case: Case) -> Layout:
    """Returns the layout of a case with a tile."""
    sizes, phases = sizes_of(case), correlations(case)
    steps = [-(-len(phase.taps) * sizes.seen // DEPTH) for phase in phases]
    rows = [-(-sizes.x[0] * math.prod(phase.counts) // tile.rows) for phase in phases]
    columns = -(-sizes.made // tile.columns)
    copied = tile.rows * (1 if vector_of(sizes) == 4 else 2)  # single values come with neighbours
    work = Work(
        blocks=sum(rows) * columns * sizes.groups, pieces=max(steps), flops=2 * tile.rows * tile.columns * DEPTH,
        traffic=4 * (copied + kind.pieces * tile.columns) * DEPTH, speed=tile.speed, warps=tile.threads // 32,
        resident=tile.resident,
    )  # fmt: skip
    room = MOST_BLOCKS[2] // len(phases)
    split = best_split(work, math.prod(case.out) * 4, room) if sizes.groups == 1 else undivided(work)
    begins = tuple(sum(steps[:number]) for number in range(len(steps) + 1))
    return Layout(phases, tile, split, (max(rows), columns), begins, padded_filters(kind, sizes.made))


def vector_of(sizes: Sizes) -> int:
    """Returns how many channels are copied together."""
    return 4 if sizes.seen % 4 == 0 and sizes.x[4] % 4 == 0 else 1


def why_slower(case: Case, split: Split, other: Kind) -> str | None:
    """Returns that tiles of another kind should compute a case faster than what would be launched."""
    if why_not(case) is not None:
        return None
    seconds = layout(other, case).split.seconds
    if seconds < split.seconds:
        return f"tiles in {other.name} should take {1e6 * seconds:.0f} us, this kernel {1e6 * split.seconds:.0f}"
    return None
