"""Dividing sums among blocks, and the estimated time that says into how many parts.

A launch of few blocks leaves most of a large GPU idle: 8^3 voxels of 256 channels are 16 blocks on 132
multiprocessors. So the sum of every block is divided: see ``sums.py``.

The estimate counts, for an H100, how many blocks share a multiprocessor and what each waits for. None of its numbers
was measured on a GPU yet; it only chooses among kernels that are all correct.
"""

from __future__ import annotations

from dataclasses import dataclass

MULTIPROCESSORS = 132
FLOAT32 = 47e12  # FLOP/s that the best kernels reach without tensor cores
WAIT = 0.4e-6  # seconds until data that were asked for are there
LAUNCH = 3e-6  # seconds of one more launch
CACHE = 5e12  # bytes/s of the last cache
HIDING = 2  # warps that wait at a time
WARPS = 12  # of a multiprocessor, with which the best kernels reach their speed
MOST_PARTS = 64


@dataclass(frozen=True)
class Work:
    """What a launch computes.

    Attributes:
        blocks: Blocks while no sum is divided.
        pieces: Of the sum of a block: what it fetches and adds at a time.
        flops: Of a piece.
        traffic: Bytes that a piece fetches.
        speed: FLOP/s of a GPU that is full of such blocks.
        warps: Of a block.
        resident: Blocks that a multiprocessor holds.
        waits: Times that a block waits in every piece.
    """

    blocks: int
    pieces: int
    flops: float
    traffic: float
    speed: float
    warps: int
    resident: int
    waits: float = 1


@dataclass(frozen=True)
class Split:
    """How sums are divided.

    Attributes:
        parts: Blocks that share a sum.
        run: Pieces of each; the last one may have fewer.
        seconds: Estimated time.
    """

    parts: int
    run: int
    seconds: float


def undivided(work: Work) -> Split:
    """Returns one part."""
    return _divided(work, 1, 0)


def best_split(work: Work, size: int, most: int = MOST_PARTS) -> Split:
    """Returns the division that is estimated to be fastest.

    Args:
        work: The launch.
        size: Bytes of a result in float32.
        most: Parts at most.
    """
    counts = range(1, max(min(MOST_PARTS, most, work.pieces), 1) + 1)
    return min((_divided(work, parts, size) for parts in counts), key=lambda split: split.seconds)


def _divided(work: Work, parts: int, size: int) -> Split:
    run = max(-(-work.pieces // parts), 1)
    parts = max(-(-work.pieces // run), 1)  # none without a piece
    full, rest = divmod(-(-work.blocks * parts // MULTIPROCESSORS), work.resident)
    seconds = full * _together(work, run, work.resident) + (_together(work, run, rest) if rest else 0)
    if parts > 1:
        seconds += LAUNCH + 2 * parts * size / CACHE
    return Split(parts, run, seconds)


def _together(work: Work, run: int, count: int) -> float:
    """Seconds of ``count`` blocks on one multiprocessor; few warps do not hide each other's waits."""
    warps = count * work.warps
    busy = min(warps / (warps + HIDING) * (WARPS + HIDING) / WARPS, 1.0)
    computing = count * work.flops / (work.speed / MULTIPROCESSORS * busy)
    fetching = count * work.traffic / (CACHE / MULTIPROCESSORS)
    return run * max(computing, fetching, work.waits * WAIT) + 4 * WAIT
