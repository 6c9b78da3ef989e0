"""conv3d, conv3d_transpose and dense in float32 by tiles: see ``device/conv_tile.py``.

``prepare`` packs, for every launch, the table of the sum and the weights, both padded to whole tiles with zeros.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nb3d.kernels.case import OUT, Arrays, Case, Kernel
from nb3d.kernels.cuda.correlations import Correlation, Sizes, correlations, sizes_of
from nb3d.kernels.cuda.halos import slices as slices
from nb3d.kernels.cuda.halos import writes_fours
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.cuda.strides import MOST

DEPTH = 16  # positions of the sum in one step
FAR = -(1 << 28)  # a displacement that leads out of every volume
ALIGNMENT = 256  # bytes
MULTIPROCESSORS = 132  # blocks that a launch should have at least, for a large GPU to be busy
ARGUMENTS = ("float32[]", "int32[]", *("float32[]",) * 4, *("int32",) * 28, *("float32",) * 2)


@dataclass(frozen=True)
class Tile:
    """Voxels and filters of a block and of a thread."""

    rows: int
    columns: int
    tall: int
    wide: int

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return self.rows // self.tall * (self.columns // self.wide)


TILES = (Tile(128, 64, 8, 8), Tile(64, 64, 4, 8), Tile(128, 32, 8, 4), Tile(64, 32, 4, 4), Tile(128, 16, 8, 4))


def accepts(case: Case) -> str | None:
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


def declines(case: Case) -> str | None:
    """Declines groups that would fill a small part of a tile."""
    sizes = sizes_of(case)
    return "the groups are smaller than a tile" if sizes.groups > 1 and sizes.made < 8 else None


def tile_for(sizes: Sizes, voxels: int) -> Tile:
    """Returns the largest tile that still keeps the GPU busy, no wider than the filters need."""
    fitting = [tile for tile in TILES if tile.columns == min(64, max(16, 1 << (sizes.made - 1).bit_length()))]
    for tile in fitting:
        if -(-voxels // tile.rows) * -(-sizes.made // tile.columns) * sizes.groups >= MULTIPROCESSORS:
            return tile
    return fitting[-1]


@dataclass(frozen=True)
class Part:
    """One launch: its sums, its tile, and where its table and weights lie among the packed ones, in bytes."""

    correlation: Correlation
    tile: Tile
    steps: int
    padded: int
    table: int
    weights: int
    end: int


@lru_cache(maxsize=1024)
def parts(case: Case) -> tuple[Part, ...]:
    """Returns the launches of a case."""
    sizes, result, at = sizes_of(case), [], 0
    for correlation in correlations(case):
        tile = tile_for(sizes, sizes.x[0] * math.prod(correlation.counts))
        steps = -(-len(correlation.taps) * sizes.seen // DEPTH)
        padded = -(-sizes.made // tile.columns) * tile.columns
        table = at
        weights = table + _aligned(steps * DEPTH // vector_of(sizes) * 16)
        at = weights + _aligned(sizes.groups * steps * DEPTH * padded * 4)
        result.append(Part(correlation, tile, steps, padded, table, weights, at))
    return tuple(result)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def vector_of(sizes: Sizes) -> int:
    """Returns how many channels are copied together."""
    return 4 if sizes.seen % 4 == 0 and sizes.x[4] % 4 == 0 else 1


def _table(item: Part, sizes: Sizes) -> np.ndarray:
    """``(offset, dz, dy, dx)`` for every vector of channels of the sum."""
    vector, (h, w, channels) = vector_of(sizes), sizes.x[2:]
    rows = np.full((item.steps * DEPTH // vector, 4), FAR, np.int32)
    rows[:, 0] = 0
    vectors = np.arange(0, sizes.seen, vector)
    for number, (_, at) in enumerate(item.correlation.taps):
        here = rows[number * len(vectors) : (number + 1) * len(vectors)]
        here[:, 0] = ((at[0] * h + at[1]) * w + at[2]) * channels + vectors
        here[:, 1:] = at
    return rows


def _weights(item: Part, sizes: Sizes, kernel: np.ndarray) -> np.ndarray:
    """``(group, position of the sum, filter)``."""
    packed = np.zeros((sizes.groups, item.steps * DEPTH, item.padded), np.float32)
    for number, (tap, _) in enumerate(item.correlation.taps):
        here = kernel[tap].T if sizes.transposed else kernel[tap]  # channels, filters
        for group in range(sizes.groups):
            rows = slice(number * sizes.seen, (number + 1) * sizes.seen)
            packed[group, rows, : sizes.made] = here[:, group * sizes.made : (group + 1) * sizes.made]
    return packed


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Packs tables and weights of all launches into one array, and the bias by groups, padded to whole tiles."""
    sizes, items = sizes_of(case), parts(case)
    x, kernel, bias, *rest = inputs
    kernel = kernel.reshape(1, 1, 1, *kernel.shape) if case.op == "dense" else kernel
    packed = np.zeros(items[-1].end, np.uint8)
    for item in items:
        for at, array in ((item.table, _table(item, sizes)), (item.weights, _weights(item, sizes, kernel))):
            packed[at : at + array.nbytes] = array.reshape(-1).view(np.uint8)
    biases = np.zeros((sizes.groups, max(item.padded for item in items)), np.float32)
    if bias.size:
        biases[:, : sizes.made] = bias.reshape(sizes.groups, sizes.made)
    return x, packed, biases, *rest


def tile_program(tile: Tile, vector: int, whole: bool, residual: bool, code: int) -> Program:
    """Returns a variant of the kernel."""
    return program(
        "conv_tile", ARGUMENTS, tile.threads, rows=tile.rows, columns=tile.columns, tall=tile.tall, wide=tile.wide,
        vector=vector, whole=whole, residual=residual, code=code,
    )  # fmt: skip


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    sizes, items = sizes_of(case), parts(case)
    code, alpha, beta = case.params[-3:]
    residual = case.op == "conv3d" and case.inputs[3] != (0,)
    pitch, vector = case.pitch(OUT), vector_of(sizes)
    batch, x_sizes, out_sizes = sizes.x[0], sizes.x[1:4], sizes.out[1:4]

    def run(x, packed, bias, residuals, out):
        whole = writes_fours(sizes.made, pitch, out)
        for item in items:
            one = item.correlation
            voxels = batch * math.prod(one.counts)
            entries = item.steps * DEPTH // vector
            table = packed.part(item.table, (entries * 4,), "int32")
            weights = packed.part(item.weights, (sizes.groups * item.steps * DEPTH * item.padded,), "float32")
            grid = (-(-voxels // item.tile.rows), -(-sizes.made // item.tile.columns), sizes.groups)
            launch(
                tile_program(item.tile, vector, whole, residual, int(code)), grid, x, table, weights, bias,
                residuals, out, voxels, *one.counts, *x_sizes, sizes.x[4], sizes.seen, *one.strides, *one.begin,
                *out_sizes, *one.spacing, *one.places, pitch, sizes.made, item.padded, item.steps, alpha, beta,
            )  # fmt: skip

    if case.op == "conv3d":
        return lambda x, kernel, bias, residuals, out, scratch, *params: run(x, kernel, bias, residuals, out)
    return lambda x, kernel, bias, out, scratch, *params: run(x, kernel, bias, bias, out)
