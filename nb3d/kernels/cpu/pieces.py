"""From the sizes of a convolution to the words of its tasks: which blocks, which tiles, how much scratch.

A *piece* is a set of output voxels with the same taps: a whole convolution is one, a transposed convolution one per
phase of its stride.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nb3d.kernels.cpu import words as word
from nb3d.kernels.cpu.arrays import round_up
from nb3d.kernels.cpu.host import halves_are_free
from nb3d.kernels.cpu.microkernel import lanes_for, most_rows

SLAB_BYTES = 256 * 1024  # input rows of a block: they share L2 with the weights
CHUNK_BYTES = 256 * 1024  # weights between two visits of the output: with the slab they fit a small L2
MOST_ROWS = 16  # output rows of a block
ENOUGH_TASKS = 48  # so that any usual number of threads has work
MOST_SPREAD = 16  # voxels of a tile whose vectors hold several groups: it needs registers for weights and orders

Taps = tuple[tuple[int, int], ...]  # of one axis: (index in the kernel, offset in voxels), offsets growing
Triple = tuple[int, ...]


@dataclass(frozen=True)
class Bundle:
    """Filters that see the same channels and lie side by side in the output.

    Attributes:
        channel: The first channel they see.
        place: Values from the first voxel of the piece to the first filter of the bundle.
        bias: The first one's bias.
    """

    channel: int = 0
    place: int = 0
    bias: int = 0


@dataclass(frozen=True)
class Piece:
    """Output voxels with the same taps.

    Attributes:
        dtype: Name of the dtype.
        batch: Volumes.
        sizes: Voxels of the input per axis.
        channels: Values of a voxel of the input.
        seen: Channels that a filter sees.
        counts: Output voxels per axis.
        taps: Per axis.
        filters: Filters of a bundle.
        out_sizes: Voxels of the whole output per axis.
        out_channels: Values of a voxel of the output.
        strides: Of the taps, in input voxels per output voxel.
        bundles: Of filters; in the weights they follow each other.
        out_strides: Output voxels from one voxel of the piece to the next.
        out_first: First output voxel of the piece.
        spread: Channels and filters of a group where vectors hold several groups, ``(1, 1)`` if depthwise; there is one
            bundle then. Zeros where all filters of a bundle see the same channels.
    """

    dtype: str
    batch: int
    sizes: Triple
    channels: int
    seen: int
    counts: Triple
    taps: tuple[Taps, ...]
    filters: int
    out_sizes: Triple
    out_channels: int
    strides: Triple = (1, 1, 1)
    bundles: tuple[Bundle, ...] = (Bundle(),)
    out_strides: Triple = (1, 1, 1)
    out_first: Triple = (0, 0, 0)
    spread: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Work:
    """A piece ready to run, but for addresses.

    Attributes:
        words: Words of its tasks.
        tasks: How many.
        scratch: Bytes of scratch of one worker.
        out_offset: Bytes from the output to its first voxel.
        columns: Vectors in a block of filters.
        lanes: Filters in a vector.
        piece: What it computes.
    """

    words: np.ndarray
    tasks: int
    scratch: int
    out_offset: int
    columns: int
    lanes: int
    piece: Piece

    @property
    def width(self) -> int:
        """Filters in a block."""
        return self.columns * self.lanes

    @property
    def blocks(self) -> int:
        """Blocks in a bundle."""
        return -(-self.piece.filters // self.width)

    @property
    def packed_values(self) -> int:
        """Values of the packed weights."""
        taps = int(np.prod([len(axis) for axis in self.piece.taps]))
        return len(self.piece.bundles) * self.blocks * taps * self.piece.seen * self.width

    @property
    def macs(self) -> int:
        """Multiply-adds."""
        taps = len(self.piece.taps[0]) * len(self.piece.taps[1]) * len(self.piece.taps[2])
        voxels = self.piece.batch * self.piece.counts[0] * self.piece.counts[1] * self.piece.counts[2]
        return voxels * taps * len(self.piece.bundles) * self.piece.filters * self.piece.seen


def form_of(filters: int, voxels: int, dtype: str) -> tuple[int, int]:
    """Returns how many vectors of filters a register tile takes, and of how many filters, for rows of so many voxels.

    Filters that fit a half or a quarter of a vector get vectors of that size. Where two halves cost no more than a
    whole, an odd number of halves is taken as such.
    """
    lanes = lanes_for(filters, dtype)
    halves = -(-2 * filters // lanes)
    if halves_are_free(lanes * np.dtype(dtype).itemsize) and halves in (3, 5):
        return halves, lanes // 2
    vectors = -(-filters // lanes)
    if vectors >= 4 and vectors % 4 == 0 and voxels <= most_rows(4):
        return 4, lanes
    return vectors if vectors <= 3 and most_rows(vectors) >= 4 else 2, lanes


def _balanced(length: int, most: int) -> int:
    """Returns how many tiles of at most ``most`` voxels cover a row."""
    return max(-(-length // most), 1)


def arrange(piece: Piece) -> Work:
    """Chooses tiles and blocks for a piece."""
    size = np.dtype(piece.dtype).itemsize
    taps_d, taps_h, taps_w = ([offset for _, offset in axis] for axis in piece.taps)
    columns, lanes = form_of(piece.filters, piece.counts[2], piece.dtype)
    permuted = piece.spread[1] > 1
    columns = 1 if permuted else columns
    width = columns * lanes
    blocks = len(piece.bundles) * -(-piece.filters // width)
    tiles = _balanced(piece.counts[2], min(most_rows(columns), MOST_SPREAD) if permuted else most_rows(columns))
    rows_of_tile = piece.counts[2] // tiles

    consecutive = all(b - a == 1 for a, b in pairwise(taps_w))
    inside = taps_w[0] >= 0 and (piece.counts[2] - 1) * piece.strides[2] + taps_w[-1] < piece.sizes[2]
    joined = consecutive and len(taps_w) > 1 and piece.seen == piece.channels and not piece.spread[0]
    # Vectors of the input may reach beyond the last voxel: only the slab has room for that.
    fits = piece.spread[0] == piece.spread[1] and piece.channels % width == 0
    direct = inside and (not piece.spread[0] or fits)
    split = 1 if joined else len(taps_w)
    length = 1 if piece.spread[0] else piece.seen * (len(taps_w) if joined else 1)

    def pitch_of(segment: int) -> int:
        voxels = (min(-(-piece.counts[2] * segment // tiles), piece.counts[2]) - 1) * piece.strides[2]
        return (voxels + taps_w[-1] - taps_w[0] + 1) * piece.channels * size

    def plane_of(rows: int, segment: int) -> int:
        return ((rows - 1) * piece.strides[1] + taps_h[-1] - taps_h[0] + 1) * pitch_of(segment)

    segment, rows = tiles, min(MOST_ROWS, piece.counts[1])
    while segment > 1 and len(taps_d) * plane_of(1, segment) > SLAB_BYTES:
        segment = (segment + 1) // 2
    while rows > 1 and len(taps_d) * plane_of(rows, segment) > SLAB_BYTES:
        rows -= 1

    def blocks_of_voxels() -> int:
        spatial = piece.counts[0] * -(-piece.counts[1] // rows) * -(-tiles // segment)
        return piece.batch * spatial

    while blocks_of_voxels() < ENOUGH_TASKS and segment > 8:
        segment = (segment + 1) // 2
    parts = min(blocks, -(-ENOUGH_TASKS // max(blocks_of_voxels(), 1)))
    part = -(-blocks // parts)
    while blocks_of_voxels() * -(-blocks // part) < ENOUGH_TASKS and rows > 1:
        rows = (rows + 1) // 2
    rows = -(-piece.counts[1] // -(-piece.counts[1] // rows))

    runs = len(taps_d) * len(taps_h) * split
    scratch = rows * 8 + rows * runs * 16 + 64
    if not direct:
        scratch += len(taps_d) * plane_of(rows, segment) + width * size

    strides_x = _byte_strides(piece.sizes, piece.channels * size)
    whole = _byte_strides(piece.out_sizes, piece.out_channels * size)
    out_strides = [s * k for s, k in zip(whole[1:], piece.out_strides, strict=True)]
    values = {
        word.X_N: strides_x[0], word.X_D: strides_x[1], word.X_H: strides_x[2], word.X_W: strides_x[3],
        word.IN_D: piece.sizes[0], word.IN_H: piece.sizes[1], word.IN_W: piece.sizes[2], word.SIZE: size,
        word.OUT_N: whole[0], word.OUT_D: out_strides[0], word.OUT_H: out_strides[1], word.OUT_W: out_strides[2],
        word.COUNT_N: piece.batch, word.COUNT_D: piece.counts[0], word.COUNT_H: piece.counts[1],
        word.COUNT_W: piece.counts[2], word.BLOCKS: blocks,
        word.SD: piece.strides[0], word.SH: piece.strides[1], word.SW: piece.strides[2],
        word.KD: len(taps_d), word.KH: len(taps_h), word.KW: len(taps_w),
        word.DIRECT: int(direct), word.SPLIT: split, word.LENGTH: length,
        word.CHUNK: max(1, CHUNK_BYTES // (length * max(piece.spread[0], 1) * width * size)),
        word.ROWS: rows, word.TILES: tiles, word.SEGMENT: segment, word.PART: part,
        word.TILE_ROWS: rows_of_tile, word.PITCH: pitch_of(segment), word.PLANE: plane_of(rows, segment),
        word.SCRATCH_WORKER: round_up(scratch), word.B_TAP: piece.seen * width * size,
        word.TABLE: word.OFFSETS + len(taps_d) + len(taps_h) + len(taps_w),
    }  # fmt: skip
    table = _table(piece, width, len(taps_d) * len(taps_h) * len(taps_w) * piece.seen * width)
    words = np.array([0] * word.OFFSETS + [*taps_d, *taps_h, *taps_w] + [size * value for value in table], np.int64)
    words[values[word.TABLE] + word.BLOCK_FILTERS :: word.BLOCK_WORDS] //= size
    for name, value in values.items():
        words[name] = value
    offset = sum(s * k for s, k in zip(whole[1:], piece.out_first, strict=True))
    return Work(words, blocks_of_voxels() * -(-blocks // part), round_up(scratch), offset, columns, lanes, piece)


def _table(piece: Piece, width: int, block: int) -> list[int]:
    """Returns the words of all blocks of filters, in values; ``block`` is how many weights one has."""
    table: list[int] = []
    for bundle in piece.bundles:
        for first in range(0, piece.filters, width):
            channel = bundle.channel + (first // piece.spread[1] * piece.spread[0] if piece.spread[1] else 0)
            begin = len(table) // word.BLOCK_WORDS * block
            table += channel, begin, bundle.place + first, bundle.bias + first, min(width, piece.filters - first)
    return table


def _byte_strides(sizes: Triple, voxel: int) -> Triple:
    """Returns the bytes from one batch, depth, row and voxel to the next."""
    d, h, w = sizes
    return d * h * w * voxel, h * w * voxel, w * voxel, voxel
