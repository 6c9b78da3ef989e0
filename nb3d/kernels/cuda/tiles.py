"""conv3d, conv3d_transpose and dense by tiles, in float32 and on tensor cores: see ``device/conv_tile.py``.

A module of the table for each kind calls ``serve``. ``prepare`` pads the weights with zeros, the same for every volume
and tile, so that plans share them; beside the bias it packs what a volume needs, the phases and the table of the sum.
All phases of a transposed convolution are one launch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np

from nb3d.kernels.case import Arrays, Case, Kernel
from nb3d.kernels.cuda.arrays import absent
from nb3d.kernels.cuda.correlations import Correlation, Sizes, correlations, sizes_of
from nb3d.kernels.cuda.fragments import tf32_fragments
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.cuda.scratch import Cutter, aligned
from nb3d.kernels.cuda.splits import Split, Work, best_split, undivided
from nb3d.kernels.cuda.strides import MOST, flat
from nb3d.kernels.cuda.sums import launch_sums, padded_bias, partial_bytes
from nb3d.kernels.policy import current

DEPTH = 16  # positions of the sum in one step
STAGES = 3  # steps in shared memory
FAR = -(1 << 28)  # a displacement that leads out of every volume
WORDS = 12  # of a phase
WIDEST = 64  # filters of a block at most
ARGUMENTS = (
    "float32[]", "int32[]", "int32[]", *("float32[]",) * 4, *("int32",) * 22, "int64", "int32", *("float32",) * 2,
)  # fmt: skip


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
    plane = math.prod(sizes.x[2:])
    reach = max((abs(at[0]) + 1 for item in correlations(case) for _, at in item.taps), default=1)
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
    work = Work(
        blocks=sum(rows) * columns * sizes.groups, pieces=max(steps), flops=2 * tile.rows * tile.columns * DEPTH,
        traffic=4 * (tile.rows + kind.pieces * tile.columns) * DEPTH, speed=tile.speed, warps=tile.threads // 32,
        resident=tile.resident,
    )  # fmt: skip
    split = best_split(work, math.prod(case.out) * 4) if sizes.groups == 1 else undivided(work)
    begins = tuple(sum(steps[:number]) for number in range(len(steps) + 1))
    return Layout(phases, tile, split, (max(rows), columns), begins, padded_filters(kind, sizes.made))


def vector_of(sizes: Sizes) -> int:
    """Returns how many channels are copied together."""
    return 4 if sizes.seen % 4 == 0 and sizes.x[4] % 4 == 0 else 1


def _phases(item: Layout) -> np.ndarray:
    """The words of every phase: see ``device/conv_tile.py``."""
    return np.array([
        (*phase.counts, begin, *phase.begin, end, *phase.places, math.prod(phase.counts))
        for phase, (begin, end) in zip(item.phases, pairwise(item.begins), strict=True)
    ], np.int32)  # fmt: skip


def _table(item: Layout, sizes: Sizes) -> np.ndarray:
    """``(offset, dz, dy, dx)`` for every vector of channels of the sum."""
    vector, (h, w, channels) = vector_of(sizes), sizes.x[2:]
    rows = np.full((item.steps * DEPTH // vector, 4), FAR, np.int32)
    rows[:, 0] = 0
    vectors = np.arange(0, sizes.seen, vector)
    for phase, begin in zip(item.phases, item.begins, strict=False):
        for number, (_, at) in enumerate(phase.taps):
            first = begin * DEPTH // vector + number * len(vectors)
            here = rows[first : first + len(vectors)]
            here[:, 0] = ((at[0] * h + at[1]) * w + at[2]) * channels + vectors
            here[:, 1:] = at
    return rows


def _weights(item: Layout, sizes: Sizes, kernel: np.ndarray) -> np.ndarray:
    """``(group, position of the sum, filter)``."""
    packed = np.zeros((sizes.groups, item.steps * DEPTH, item.padded), np.float32)
    for phase, begin in zip(item.phases, item.begins, strict=False):
        for number, (tap, _) in enumerate(phase.taps):
            here = kernel[tap].T if sizes.transposed else kernel[tap]  # channels, filters
            first = begin * DEPTH + number * sizes.seen
            for group in range(sizes.groups):
                filters = slice(group * sizes.made, (group + 1) * sizes.made)
                packed[group, first : first + sizes.seen, : sizes.made] = here[:, filters]
    return packed


def packed_tf32(weights: np.ndarray, pieces: int = 1) -> np.ndarray:
    """Returns weights as words: ``(group, 16 filters, step, half of the step, piece, lane, 4)``."""
    groups, positions, filters = weights.shape
    tiled = weights.reshape(groups, positions // DEPTH, 2, 8, filters // 16, 16).transpose(0, 4, 1, 2, 3, 5)
    return tf32_fragments(tiled, pieces, axis=4).view(np.float32)


def why_slower(case: Case, split: Split, other: Kind) -> str | None:
    """Returns that tiles of another kind should compute a case faster than what would be launched."""
    seconds = layout(other, case).split.seconds
    if seconds < split.seconds:
        return f"tiles in {other.name} should take {1e6 * seconds:.0f} us, this kernel {1e6 * split.seconds:.0f}"
    return None


def tile_program(kind: Kind, tile: Tile, vector: int, code: int) -> Program:
    """Returns a variant of the kernel."""
    shared = STAGES * (tile.rows + kind.pieces * tile.columns) * DEPTH * 4
    return program(
        "conv_tile", ARGUMENTS, tile.threads, tile.resident, shared, kind=kind.name, rows=tile.rows, columns=tile.columns,
        tall=tile.tall, wide=tile.wide, vector=vector, code=code,
    )  # fmt: skip


Functions = tuple[
    Callable[[Case], str | None], Callable[[Case], str | None], Callable[[Case, Arrays], Arrays],
    Callable[[Case, int], int], Callable[[Case], Kernel],
]  # fmt: skip


def serve(kind: Kind) -> Functions:
    """Returns the ``accepts``, ``declines``, ``prepare``, ``scratch`` and ``load`` of a kind."""

    def declines(case: Case) -> str | None:
        if current().precision not in kind.precisions:
            return f"the precision is {current().precision}"
        sizes = sizes_of(case)
        if sizes.groups > 1 and sizes.made < 8:
            return "the groups are smaller than a tile"
        return None if kind.instead is None else why_slower(case, layout(kind, case).split, kind.instead)

    def prepare(case: Case, inputs: Arrays) -> Arrays:
        """Pads weights; packs the bias by groups with zeros for parts of a sum, phases and table."""
        sizes, item = sizes_of(case), layout(kind, case)
        x, kernel, bias, *rest = inputs
        kernel = kernel.reshape(1, 1, 1, *kernel.shape) if case.op == "dense" else kernel
        arrays = padded_bias(bias, sizes.groups, sizes.made, item.padded), _phases(item), _table(item, sizes)
        packed, at = np.zeros(sum(aligned(array.nbytes) for array in arrays), np.uint8), 0
        for array in arrays:
            packed[at : at + array.nbytes] = array.reshape(-1).view(np.uint8)
            at += aligned(array.nbytes)
        return x, kind.pack(_weights(item, sizes, kernel)), packed, *rest

    def scratch(case: Case, threads: int) -> int:
        """The parts of divided sums."""
        return partial_bytes(layout(kind, case).split, case)

    return why_not, declines, prepare, scratch, partial(_load, kind)


def _load(kind: Kind, case: Case) -> Kernel:
    sizes, item = sizes_of(case), layout(kind, case)
    vector, alpha, beta = vector_of(sizes), *case.params[-2:]
    phases, one, split = len(item.phases), item.phases[0], item.split
    grid = (*item.blocks, phases * sizes.groups * split.parts)
    entries = item.steps * DEPTH // vector

    def run(x, weights, packed, residuals, out, scratch):
        cut = Cutter(packed)
        biases = cut.array((2, sizes.groups, item.padded), "float32")
        words, table = cut.array((phases * WORDS,), "int32"), cut.array((entries * 4,), "int32")

        def launch_parts(code, bias, residuals, to, pitch, fours):
            launch(
                tile_program(kind, item.tile, vector, code), grid, x, table, words, flat(weights), bias, residuals, to,
                *sizes.x, sizes.seen, *one.strides, *sizes.out[1:4], *one.spacing, pitch, sizes.made, item.padded,
                item.steps, sizes.groups, split.parts, split.run, math.prod(case.out), fours, alpha, beta,
            )  # fmt: skip

        launch_sums(case, split, sizes.made, launch_parts, biases, residuals, out, scratch)

    if case.op == "conv3d":
        return lambda x, kernel, bias, residuals, out, scratch, *params: run(x, kernel, bias, residuals, out, scratch)
    return lambda x, kernel, bias, out, scratch, *params: run(x, kernel, bias, absent("float32"), out, scratch)
