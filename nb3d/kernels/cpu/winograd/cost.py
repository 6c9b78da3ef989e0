"""Which tile, and whether any: time and error of Winograd's convolution as a few numbers. No clock, no thread count.

Time is counted in multiply-add instructions of one core, for one sample: the answer is the same for any batch and any
number of threads, and so are the bits of the results. What it takes from the machine is in one table, measured on a
Zen 4 with AVX-512; for others it is an estimate.

The error to expect is a product over the axes, times the root of the channels: largest error, relative to the largest
output, on normal data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import cast

import numpy as np

from nb3d.kernels.case import Case
from nb3d.kernels.cpu.host import halves_are_free, vectors
from nb3d.kernels.cpu.microkernel import lanes_of
from nb3d.kernels.cpu.winograd.blocks import (
    BLOCK_BYTES,
    ENOUGH_TASKS,
    FRESH_BYTES,
    SLICE_CHANNELS,
    Triple,
    columns_for,
    filter_lanes,
    lanes_for,
    steps_of,
    tiles_of,
)

MARGIN = 0.85  # of the time of the direct kernel
SMALL = 4.0e6  # bytes of transformed weights that are kept for nothing
PRICE = 1.5  # multiply-adds of time that keeping another byte is worth
CLOSE = 1.04  # times that are taken for equal
MOST_SCRATCH = 24 * 2**20  # bytes of V and S of one tile of the register tile: a bound for the scratch of a worker


@dataclass(frozen=True)
class Speeds:
    """What things cost, in the time of one multiply-add instruction of one core.

    Attributes:
        direct: A multiply-add of the direct kernel.
        products: A multiply-add of the register tile here.
        inputs: Input transform, for a vector of frequencies, and for a vector of voxels that comes from L3 or memory.
        weights: Transform of fresh weights, for a vector of frequencies.
        outputs: Output transform, for a vector of frequencies, and for a vector of voxels.
        cache: Bytes of weights that stay in L2.
        rates: Bytes of weights that come from L3, in part from memory, all from memory.
        shared: Bytes of weights that stay in L3, and of those that stay there in part.
        sums: Bytes of products that are read and written back.
    """

    direct: float = 1.07
    products: float = 1.14
    inputs: tuple[float, float] = (8.0, 13.5)
    weights: float = 9.0
    outputs: tuple[float, float] = (6.0, 18.6)
    cache: float = 1.0e6
    rates: tuple[float, float, float] = (16.0, 8.0, 4.5)
    shared: tuple[float, float] = (20.0e6, 60.0e6)
    sums: float = 10.0

    def reading(self, size: float) -> float:
        """The time to read so many bytes of weights."""
        if size < self.cache:
            return 0.0
        return size / self.rates[sum(size >= most for most in self.shared)]


# By the bytes of a vector: narrow ones need more of everything but memory.
_SPEEDS = {64: Speeds(), 32: Speeds(rates=(8.0, 4.0, 2.2)), 16: Speeds(rates=(4.0, 2.0, 1.1))}

# (outputs of a tile, taps) of an axis -> what it multiplies the error with. Absent ones are of no use: too large an
# error for one axis, or slower than another tile.
_ERRORS = {
    (2, 2): 1.3, (3, 2): 1.3, (4, 2): 2.2, (6, 2): 5.5,
    (2, 3): 1.2, (3, 3): 1.9, (4, 3): 2.5, (6, 3): 7.5,
    (2, 4): 2.0, (3, 4): 2.3, (4, 4): 4.3,
    (2, 5): 2.1, (3, 5): 4.3, (4, 5): 5.2,
    (2, 6): 4.6, (3, 6): 4.9,
    (2, 7): 5.0,
}  # fmt: skip
TILES = tuple(_ERRORS)
"""Outputs and taps of an axis: all that there is."""
_DIRECT_ERROR = {"float32": 2.2e-7, "float64": 4.1e-16}
_FEW_CHANNELS = 32


@dataclass(frozen=True)
class Choice:
    """The fastest tile within an error.

    Attributes:
        tile: Outputs along depth, height and width.
        fresh: Whether weights are transformed at every run.
        time: Estimated, in multiply-adds.
        direct: Estimated time of the direct kernel.
        error: To expect.
    """

    tile: Triple
    fresh: bool
    time: float
    direct: float
    error: float

    @property
    def pays(self) -> bool:
        """Whether it is clearly faster than the direct kernel."""
        return self.time < MARGIN * self.direct


def error_of(case: Case, tile: Triple) -> float:
    """Returns the largest error to expect on normal data, relative to the largest output."""
    channels = case.inputs[1][3]
    axes = math.prod(_ERRORS[m, k] for m, k in zip(tile, case.inputs[1][:3], strict=True) if k > 1)
    return _DIRECT_ERROR[case.out_dtype] * axes * math.sqrt(max(channels / _FEW_CHANNELS, 1.0))


def _taps_inside(case: Case) -> float:
    """Returns how many taps of the kernel an output voxel has inside the input, on average: others cost nothing."""
    total = 1.0
    for size, outputs, taps, before, step in zip(
        case.inputs[0][1:4], case.out[1:4], case.inputs[1][:3], case.params[3:6], case.params[6:9], strict=True
    ):
        at = np.arange(outputs)[:, None] - before + step * np.arange(taps)
        total *= int(np.count_nonzero((at >= 0) & (at < size))) / outputs
    return total


def direct_time(case: Case) -> float:
    """Returns the time of the direct kernel for one sample."""
    groups, filters = case.params[9], case.out[4] // case.params[9]
    lanes = lanes_for(filters, case.out_dtype)
    registers = -(-filters // lanes) * lanes / lanes_of(case.out_dtype)
    return _speeds().direct * math.prod(case.out[1:4]) * _taps_inside(case) * case.inputs[1][3] * groups * registers


def _speeds() -> Speeds:
    return _SPEEDS[vectors().size]


def winograd_time(case: Case, tile: Triple, fresh: bool) -> float:
    """Returns the time with tiles of so many outputs, and weights transformed once or at every run, for one sample."""
    speeds, size, groups = _speeds(), np.dtype(case.out_dtype).itemsize, case.params[9]
    taps, dtype = case.inputs[1][:3], case.out_dtype
    frequencies = _frequencies(case, tile)
    tiles = math.prod(math.prod(tiles_of(*axis)) for axis in zip(case.out[1:4], tile, steps_of(case), strict=True))
    channels, filters, register = case.inputs[1][3], case.out[4] // groups, lanes_of(dtype)
    lanes_in, lanes = lanes_for(channels, dtype), filter_lanes(filters, dtype)
    columns = columns_for(filters, lanes)
    chunks, blocks = -(-channels // lanes_in), -(-filters // (columns * lanes))
    registers = blocks * columns * (lanes / register if halves_are_free(register * size) else 1.0)
    products = tiles * frequencies * chunks * lanes_in * registers * speeds.products
    (m_d, m_h, m_w), (_, k_h, k_w) = tile, taps
    seen, written = (m_h + k_h - 1) * (m_w + k_w - 1) * m_d, m_d * m_h * m_w  # planes are shared along the depth
    inputs = tiles * chunks * lanes_in / register * (frequencies * speeds.inputs[0] + seen * speeds.inputs[1])
    outputs = tiles * registers * (frequencies * speeds.outputs[0] + written * speeds.outputs[1])
    weights = frequencies * chunks * lanes_in * blocks * columns * lanes * size
    if fresh:
        passes = math.ceil(tiles * _tile_bytes(case, tile, min(channels, SLICE_CHANNELS)) / FRESH_BYTES)
        taken = math.prod(taps) * channels * blocks * columns * lanes * size
        transformed = frequencies * channels * registers * speeds.weights + taken / speeds.rates[1]
        again = math.ceil(channels / SLICE_CHANNELS) - 1  # slices whose products are added to those before
        sums = 2 * again * tiles * frequencies * blocks * columns * lanes * size / speeds.sums
        return groups * (products + inputs * blocks + outputs + sums + passes * transformed)
    passes = math.ceil(tiles * _tile_bytes(case, tile, channels) / BLOCK_BYTES)
    parts = min(blocks, math.ceil(ENOUGH_TASKS / (groups * passes)))
    return groups * (products + inputs * parts + outputs + speeds.reading(weights) * math.ceil(tiles / 14))


@lru_cache(maxsize=1024)
def _choices(case: Case) -> tuple[Choice, ...]:
    """Returns all tiles that a worker has room for, the fastest first."""
    sizes = [[m for m, k in _ERRORS if k == taps] if taps > 1 else [1] for taps in case.inputs[1][:3]]
    direct = direct_time(case)
    choices = (
        Choice(tile, fresh, winograd_time(case, tile, fresh), direct, error_of(case, tile))
        for tile in cast("Iterator[Triple]", product(*sizes))
        for fresh in (False, True)
        if _has_room(case, tile, fresh)
    )
    return tuple(sorted(choices, key=lambda choice: choice.time))


def _has_room(case: Case, tile: Triple, fresh: bool) -> bool:
    """Returns whether a worker has room; small weights need not be fresh."""
    if fresh:
        return _weights_bytes(case, tile) >= SMALL
    return 14 * _tile_bytes(case, tile, case.inputs[1][3]) <= MOST_SCRATCH


def _frequencies(case: Case, tile: Triple) -> int:
    return math.prod(m + k - 1 for m, k in zip(tile, case.inputs[1][:3], strict=True))


def _weights_bytes(case: Case, tile: Triple) -> int:
    """Returns the bytes of transformed weights."""
    return _frequencies(case, tile) * math.prod(case.inputs[1][3:]) * np.dtype(case.out_dtype).itemsize


def fastest(case: Case, max_error: float) -> Choice | None:
    """Returns the fastest tile whose error is at most ``max_error``, ``None`` if there is none.

    Of tiles that are about as fast, the most exact one. Transformed weights that are kept have a price: fresh ones are
    chosen although they take longer, where they save enough memory.
    """
    packed, fresh = _fastest(case, max_error, fresh=False), _fastest(case, max_error, fresh=True)
    if packed is None or fresh is None:
        return packed or fresh
    price = PRICE * max(_weights_bytes(case, packed.tile) - SMALL, 0.0)
    return fresh if fresh.time < packed.time + price else packed


def _fastest(case: Case, max_error: float, fresh: bool) -> Choice | None:
    allowed = [choice for choice in _choices(case) if choice.fresh == fresh and choice.error <= max_error]
    close = [choice for choice in allowed if choice.time <= CLOSE * allowed[0].time]
    return min(close, key=lambda choice: choice.error, default=None)


def most_exact(case: Case) -> Choice | None:
    """Returns the tile with the smallest error, ``None`` if there is none at all."""
    return min(_choices(case), key=lambda choice: choice.error, default=None)


def _tile_bytes(case: Case, tile: Triple, channels: int) -> int:
    """Returns the bytes of V, of so many channels, and S of a tile."""
    return _frequencies(case, tile) * (channels + 3 * lanes_of(case.out_dtype)) * np.dtype(case.out_dtype).itemsize
