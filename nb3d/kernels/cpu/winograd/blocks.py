"""From a case and the size of a tile to the words of its tasks: vectors, blocks, scratch; and the packed weights.

Axes come in the order height, width, depth here and in what follows (why: ``transforms.py``). A kernel with taps along
the depth alone is computed with depth and height exchanged: there the transform is one call for a tile, not two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nb3d.kernels.case import OUT, Case
from nb3d.kernels.cpu.arrays import CACHE_LINE, aligned_zeros, round_up
from nb3d.kernels.cpu.host import halves_are_free
from nb3d.kernels.cpu.microkernel import lanes_of, most_rows
from nb3d.kernels.cpu.winograd import words as word
from nb3d.kernels.cpu.winograd.points import Axis, axis

ENOUGH_TASKS = 16  # filters are divided until there are as many: every part transforms the input anew
NEAR_BYTES = 4 * 1024 * 1024  # of input that tiles side by side along the height share: what stays in L3
SEGMENT = 8  # tiles along the depth, where all of them see more than that
RUN = 4  # channels whose fresh weights lie side by side: U is written frequency by frequency
SLICE_CHANNELS = 32  # of fresh weights: those of a block of filters fit L2
FRESH_BYTES = 2 * 1024 * 1024  # V and S of a block with fresh weights: every block transforms them anew
BLOCK_BYTES = 1024 * 1024  # V and S of a block, if that is more than one row of register tiles

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Blocks:
    """A convolution cut into blocks, ready to run but for addresses.

    Attributes:
        words: Words of its tasks.
        tasks: How many.
        scratch: Bytes of scratch of one worker.
        axes: Transforms along height, width and depth.
        tile: Outputs of a tile along depth, height and width.
        dtype: Name of the dtype.
        fresh: Whether weights are transformed at every run.
    """

    words: np.ndarray
    tasks: int
    scratch: int
    axes: tuple[Axis, ...]
    tile: Triple
    dtype: str
    fresh: bool

    @property
    def packed_shape(self) -> tuple[int, int, int, int, int]:
        """``U``: group, block of filters, frequency, channel, filter; fresh: the same with channel, tap in place."""
        words, taps = self.words, math.prod(a.taps for a in self.axes)
        padded, width = words[word.CHUNKS] * words[word.LANES_IN], words[word.COLUMNS] * words[word.LANES]
        inner = (int(words[word.CHANNELS]), taps) if self.fresh else (math.prod(a.n for a in self.axes), int(padded))
        return int(words[word.GROUPS]), int(words[word.BLOCKS]), *inner, int(width)


def lanes_for(channels: int, dtype: str) -> int:
    """Returns the vector of channels: half a register, where that wastes less."""
    lanes = lanes_of(dtype)
    half = lanes // 2
    return half if half >= 4 and -(-channels // half) % 2 else lanes


def filter_lanes(filters: int, dtype: str) -> int:
    """Returns the vector of filters: half a register too, where it costs no more than the whole."""
    lanes = lanes_of(dtype)
    if filters <= lanes // 2 or halves_are_free(lanes * np.dtype(dtype).itemsize):
        return lanes_for(filters, dtype)
    return lanes


def columns_for(filters: int, lanes: int) -> int:
    """Returns how many vectors of filters a register tile takes."""
    vectors = -(-filters // lanes)
    return vectors if vectors <= 3 and most_rows(vectors) >= 4 else 2


def _odd_lines(size: int) -> int:
    """Returns ``size`` in whole cache lines, an odd number of them."""
    return round_up(size) | CACHE_LINE


def steps_of(case: Case) -> Triple:
    """Returns the dilation along depth, height and width, where it means something."""
    d, h, w = (step if taps > 1 else 1 for step, taps in zip(case.params[6:9], case.inputs[1][:3], strict=True))
    return d, h, w


def tiles_of(outputs: int, size: int, dilation: int) -> tuple[int, int]:
    """Returns how many residues modulo the dilation an axis has, and how many tiles each of them."""
    of_a_residue = -(-outputs // dilation)
    return min(dilation, outputs), -(-of_a_residue // size)


def _segment(tiles: int, seen: int) -> int:
    """Returns how many tiles along the depth follow each other, where all of them in a row see so many bytes."""
    return tiles if seen <= NEAR_BYTES else -(-tiles // -(-tiles // SEGMENT))


def _order(kernel: tuple[int, ...]) -> Triple:
    """Returns which axes of a volume are taken for height, width and depth."""
    return (0, 2, 1) if kernel[0] > 1 and kernel[1:3] == (1, 1) else (1, 2, 0)


def _strides(sizes: tuple[int, ...], voxel: int, order: Triple) -> tuple[int, ...]:
    """Returns the bytes from one batch, row, column and plane to the next."""
    d, h, w = sizes
    along = (h * w * voxel, w * voxel, voxel)
    return d * h * w * voxel, *(along[axis] for axis in order)


@lru_cache(maxsize=1024)
def arrange(case: Case, tile: Triple, fresh: bool) -> Blocks:
    """Cuts a convolution into blocks of tiles of so many outputs along depth, height and width."""
    x, kernel, out, dtype = case.inputs[0], case.inputs[1], case.out, case.out_dtype
    size, groups = np.dtype(dtype).itemsize, int(case.params[9])
    channels, filters = x[4] // groups, out[4] // groups
    order = _order(kernel)
    axes = tuple(axis(tile[i], kernel[i]) for i in order)
    frequencies, plane = math.prod(a.n for a in axes), axes[0].n * axes[1].n
    sizes, outs, paddings, steps = (
        [numbers[i] for i in order] for numbers in (x[1:4], out[1:4], case.params[3:6], steps_of(case))
    )
    residues = (tiles_of(n, a.size, step) for n, a, step in zip(outs, axes, steps, strict=True))
    phases, counts = zip(*residues, strict=True)
    tiles = out[0] * math.prod(phases) * math.prod(counts)

    lanes_in, lanes = lanes_for(channels, dtype), filter_lanes(filters, dtype)
    chunks, columns = -(-channels // lanes_in), columns_for(filters, lanes)
    width = columns * lanes
    blocks = -(-filters // width)
    v_tile, s_tile = _odd_lines(frequencies * lanes_in * size), _odd_lines(frequencies * width * size)
    rows = -(-tiles // most_rows(columns))
    most = -(-tiles // rows)
    piece = min(max(SLICE_CHANNELS // lanes_in, 1), chunks) if fresh else chunks
    room = FRESH_BYTES if fresh else BLOCK_BYTES
    block_rows = max(min(room // (most * (piece * v_tile + s_tile)), rows), 1)
    row_blocks = -(-rows // block_rows)
    parts = blocks if fresh else min(blocks, -(-ENOUGH_TASKS // (groups * row_blocks)))
    part = -(-blocks // parts)

    vector, taps = max(lanes, lanes_in) * size, math.prod(kernel[:3])
    voxel, run = width * size, min(RUN, lanes_in) if fresh else lanes_in
    u_next = _odd_lines(run * voxel) if fresh else chunks * lanes_in * voxel
    u_run = frequencies * u_next if fresh else run * voxel
    ring, table = round_up(axes[2].n * plane * vector), 3 * plane * 8
    rooms = {
        word.AT_V: piece * block_rows * most * v_tile, word.AT_S: block_rows * most * s_tile,
        word.AT_U: piece * lanes_in // run * u_run if fresh else 0,
        word.AT_RING: piece * ring, word.AT_TABLE: max(piece, columns) * table,
        word.AT_RUNS: piece * lanes_in // run * 16,
        word.AT_ZEROS: vector, word.AT_RUBBISH: vector,
    }  # fmt: skip
    x_n, x_h, x_w, x_d = _strides(x[1:4], case.pitch(0) * size, order)
    out_n, out_h, out_w, out_d = _strides(out[1:4], case.pitch(OUT) * size, order)
    values = {
        word.X_N: x_n, word.X_H: x_h, word.X_W: x_w, word.X_D: x_d,
        word.OUT_N: out_n, word.OUT_H: out_h, word.OUT_W: out_w, word.OUT_D: out_d,
        word.IN_H: sizes[0], word.IN_W: sizes[1], word.IN_D: sizes[2],
        word.SIZE_H: outs[0], word.SIZE_W: outs[1], word.SIZE_D: outs[2],
        word.N_H: axes[0].n, word.N_W: axes[1].n, word.N_D: axes[2].n,
        word.M_H: axes[0].size, word.M_W: axes[1].size, word.M_D: axes[2].size,
        word.P_H: paddings[0], word.P_W: paddings[1], word.P_D: paddings[2],
        word.STEP_H: steps[0], word.STEP_W: steps[1], word.STEP_D: steps[2],
        word.PHASES_H: phases[0], word.PHASES_W: phases[1], word.PHASES_D: phases[2],
        word.TILES_H: counts[0], word.TILES_W: counts[1], word.TILES_D: counts[2], word.TILES: tiles,
        word.SEGMENT: _segment(counts[2], axes[0].n * sizes[1] * sizes[2] * case.pitch(0) * size),
        word.GROUPS: groups, word.CHANNELS: channels, word.FILTERS: filters, word.SIZE: size,
        word.LANES_IN: lanes_in, word.CHUNKS: chunks, word.LANES: lanes, word.COLUMNS: columns,
        word.V_TILE: v_tile, word.V_NEXT: lanes_in * size, word.V_CHUNK: block_rows * most * v_tile,
        word.S_TILE: s_tile, word.S_NEXT: width * size,
        word.U_BLOCK: channels * taps * voxel if fresh else frequencies * u_next,
        word.U_NEXT: u_next, word.U_CHANNEL: taps * voxel, word.U_RUN: u_run, word.RUN: run, word.SLICE: piece,
        word.BLOCKS: blocks, word.PART: part,
        word.ROWS: rows, word.BLOCK_ROWS: block_rows, word.TILE_ROWS: tiles // rows,
        word.RING: ring, word.TABLE: table,
    }  # fmt: skip
    at = 0
    for name, room in rooms.items():
        values[name] = at
        at += round_up(room)
    values[word.SCRATCH_WORKER] = at
    words = np.zeros(word.END, np.int64)
    for name, value in values.items():
        words[name] = value
    return Blocks(words, row_blocks * groups * -(-blocks // part), at, axes, tile, dtype, fresh)


def pack(work: Blocks, kernel: np.ndarray) -> np.ndarray:
    """Transforms ``kernel (kd, kh, kw, ci / groups, co)`` to ``U[group][block][frequency][channel][filter]``.

    In float64, rounded once, a block at a time. Filters and channels that do not exist are zero. Every axis is a
    product with what lies behind it, so nothing is moved: a third of the time of tensordot, which puts the axis it sums
    over last. Weights that stay fresh are put in order only: ``[group][block][channel][tap][filter]``. A cache line in
    front says what the weights were packed for.
    """
    groups, blocks, *_, width = work.packed_shape
    filters, channels, dtype = int(work.words[word.FILTERS]), kernel.shape[3], np.dtype(work.dtype)
    front = CACHE_LINE // dtype.itemsize
    memory = aligned_zeros((front + math.prod(work.packed_shape),), dtype)
    memory[:4] = *work.tile, work.fresh
    packed = memory[front:].reshape(work.packed_shape)
    for group in range(groups):
        for block in range(blocks):
            first = group * filters + block * width
            last = min(first + width, (group + 1) * filters)
            part, target = kernel[..., first:last], packed[group, block, ..., : last - first]
            if work.fresh:
                target[:] = part.reshape(-1, channels, last - first).transpose(1, 0, 2)
            else:
                target[:, :channels] = _frequencies(work, part)
    return memory


def _frequencies(work: Blocks, kernel: np.ndarray) -> np.ndarray:
    part = kernel.transpose(*_order(kernel.shape), 3, 4).astype(np.float64, order="C")
    before = 1
    with np.errstate(all="ignore"):  # weights may be infinite
        for a in work.axes:
            part = a.filters @ part.reshape(before, a.taps, -1)
            before *= a.n
    return part.reshape(before, *kernel.shape[3:])


def is_packed_for(work: Blocks, memory: np.ndarray) -> bool:
    """Returns whether weights were packed for these blocks."""
    size = CACHE_LINE // memory.itemsize + math.prod(work.packed_shape)
    return memory.size == size and tuple(memory[:4]) == (*work.tile, work.fresh)
