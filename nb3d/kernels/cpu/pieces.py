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
from nb3d.kernels.cpu.microkernel import lanes_of, most_rows

SLAB_BYTES = 256 * 1024  # input rows of a block: they share L2 with the weights
CHUNK_BYTES = 256 * 1024  # weights between two visits of the output: with the slab they fit a small L2
MOST_ROWS = 16  # output rows of a block
ENOUGH_TASKS = 48  # so that any usual number of threads has work

Taps = tuple[tuple[int, int], ...]  # of one axis: (index in the kernel, offset in voxels), offsets growing
Triple = tuple[int, ...]


@dataclass(frozen=True)
class Piece:
    """Output voxels with the same taps.

    Attributes:
        batch: Volumes.
        sizes: Voxels of the input per axis.
        channels: Input channels, of all groups.
        counts: Output voxels per axis.
        strides: Of the taps, in input voxels per output voxel.
        taps: Per axis.
        filters: Output channels, of all groups.
        groups: Groups of channels.
        out_sizes: Voxels of the whole output per axis.
        out_strides: Output voxels from one voxel of the piece to the next.
        out_first: First output voxel of the piece.
        dtype: Name of the dtype.
        depthwise: Whether filter ``f`` sees channel ``f`` only; ``groups`` is 1 then.
    """

    batch: int
    sizes: Triple
    channels: int
    counts: Triple
    strides: Triple
    taps: tuple[Taps, ...]
    filters: int
    groups: int
    out_sizes: Triple
    out_strides: Triple
    out_first: Triple
    dtype: str
    depthwise: bool = False

    @property
    def seen(self) -> int:
        """Channels that a filter sees."""
        return 1 if self.depthwise else self.channels // self.groups


@dataclass(frozen=True)
class Work:
    """A piece ready to run, but for addresses.

    Attributes:
        words: Words of its tasks.
        tasks: How many.
        scratch: Bytes of scratch of one worker.
        out_offset: Bytes from the output to its first voxel.
        columns: Vectors in a block of filters.
        piece: What it computes.
    """

    words: np.ndarray
    tasks: int
    scratch: int
    out_offset: int
    columns: int
    piece: Piece

    @property
    def macs(self) -> int:
        """Multiply-adds."""
        taps = len(self.piece.taps[0]) * len(self.piece.taps[1]) * len(self.piece.taps[2])
        voxels = self.piece.batch * self.piece.counts[0] * self.piece.counts[1] * self.piece.counts[2]
        return voxels * taps * self.piece.filters * self.piece.seen


def columns_of(filters: int, voxels: int, dtype: str) -> int:
    """Returns how many vectors of filters a register tile takes, for rows of so many voxels."""
    vectors = -(-filters // lanes_of(dtype))
    if vectors >= 4 and vectors % 4 == 0 and voxels <= most_rows(4):
        return 4
    return vectors if vectors <= 3 and most_rows(vectors) >= 4 else 2


def _balanced(length: int, most: int) -> int:
    """Returns how many tiles of at most ``most`` voxels cover a row."""
    return max(-(-length // most), 1)


def arrange(piece: Piece) -> Work:
    """Chooses tiles and blocks for a piece."""
    size = np.dtype(piece.dtype).itemsize
    taps_d, taps_h, taps_w = ([offset for _, offset in axis] for axis in piece.taps)
    channels, filters = piece.channels // piece.groups, piece.filters // piece.groups
    columns = columns_of(filters, piece.counts[2], piece.dtype)
    width = columns * lanes_of(piece.dtype)
    blocks = -(-filters // width)
    tiles = _balanced(piece.counts[2], most_rows(columns))
    rows_of_tile = piece.counts[2] // tiles

    consecutive = all(b - a == 1 for a, b in pairwise(taps_w))
    inside = taps_w[0] >= 0 and (piece.counts[2] - 1) * piece.strides[2] + taps_w[-1] < piece.sizes[2]
    joined = consecutive and len(taps_w) > 1 and not piece.depthwise
    if piece.depthwise:  # vectors of the input may reach beyond the last voxel: only the slab has room for that
        direct = inside and channels % width == 0
    else:
        direct = inside and (piece.groups == 1 or not joined)
    split = 1 if joined else len(taps_w)
    length = piece.seen * (len(taps_w) if joined else 1)

    def pitch_of(segment: int) -> int:
        voxels = (min(-(-piece.counts[2] * segment // tiles), piece.counts[2]) - 1) * piece.strides[2]
        return (voxels + taps_w[-1] - taps_w[0] + 1) * channels * size

    def plane_of(rows: int, segment: int) -> int:
        return ((rows - 1) * piece.strides[1] + taps_h[-1] - taps_h[0] + 1) * pitch_of(segment)

    segment, rows = tiles, min(MOST_ROWS, piece.counts[1])
    while segment > 1 and len(taps_d) * plane_of(1, segment) > SLAB_BYTES:
        segment = (segment + 1) // 2
    while rows > 1 and len(taps_d) * plane_of(rows, segment) > SLAB_BYTES:
        rows -= 1

    def blocks_of_voxels() -> int:
        spatial = piece.counts[0] * -(-piece.counts[1] // rows) * -(-tiles // segment)
        return piece.batch * piece.groups * spatial

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
    whole = _byte_strides(piece.out_sizes, piece.filters * size)
    out_strides = [s * k for s, k in zip(whole[1:], piece.out_strides, strict=True)]
    values = {
        word.X_N: strides_x[0], word.X_D: strides_x[1], word.X_H: strides_x[2], word.X_W: strides_x[3],
        word.IN_D: piece.sizes[0], word.IN_H: piece.sizes[1], word.IN_W: piece.sizes[2], word.CHANNELS: channels,
        word.OUT_N: whole[0], word.OUT_D: out_strides[0], word.OUT_H: out_strides[1], word.OUT_W: out_strides[2],
        word.COUNT_N: piece.batch, word.COUNT_D: piece.counts[0], word.COUNT_H: piece.counts[1],
        word.COUNT_W: piece.counts[2], word.GROUPS: piece.groups, word.FILTERS: filters, word.BLOCKS: blocks,
        word.WIDTH: width, word.SIZE: size,
        word.SD: piece.strides[0], word.SH: piece.strides[1], word.SW: piece.strides[2],
        word.KD: len(taps_d), word.KH: len(taps_h), word.KW: len(taps_w),
        word.DIRECT: int(direct), word.SPLIT: split, word.LENGTH: length,
        word.CHUNK: max(1, CHUNK_BYTES // (length * width * size)),
        word.ROWS: rows, word.TILES: tiles, word.SEGMENT: segment, word.PART: part,
        word.TILE_ROWS: rows_of_tile, word.PITCH: pitch_of(segment), word.PLANE: plane_of(rows, segment),
        word.SCRATCH_WORKER: round_up(scratch),
        word.B_BLOCK: len(taps_d) * len(taps_h) * len(taps_w) * piece.seen * width * size,
        word.B_TAP: piece.seen * width * size, word.A_BLOCK: width * size if piece.depthwise else 0,
    }  # fmt: skip
    values[word.B_GROUP] = blocks * values[word.B_BLOCK]
    words = np.zeros(word.OFFSETS + len(taps_d) + len(taps_h) + len(taps_w), np.int64)
    for name, value in values.items():
        words[name] = value
    words[word.OFFSETS :] = [*taps_d, *taps_h, *taps_w]
    offset = sum(s * k for s, k in zip(whole[1:], piece.out_first, strict=True))
    return Work(words, blocks_of_voxels() * -(-blocks // part), round_up(scratch), offset, columns, piece)


def _byte_strides(sizes: Triple, voxel: int) -> Triple:
    """Returns the bytes from one batch, depth, row and voxel to the next."""
    d, h, w = sizes
    return d * h * w * voxel, h * w * voxel, w * voxel, voxel
