"""Where every value lies during a run: one block of memory, shared by values that are never alive together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


@dataclass(frozen=True)
class Interval:
    """A value's life and size.

    Attributes:
        value: Its number.
        first: Index of the step that writes it; -1 for what is there before the run.
        last: Index of the last step that reads it; the number of steps for results.
        size: Bytes.
    """

    value: int
    first: int
    last: int
    size: int


@dataclass(frozen=True)
class Layout:
    """Offsets of values in an arena.

    Attributes:
        offsets: Value -> offset in bytes.
        size: Bytes of the arena.
    """

    offsets: Mapping[int, int]
    size: int


def overlap(a: Interval, b: Interval) -> bool:
    """Whether two values are alive at one time."""
    return a.first <= b.last and b.first <= a.last


def lay_out(intervals: Sequence[Interval]) -> Layout:
    """Places values so that no two that are alive together share a byte.

    The largest are placed first, each at the lowest offset that is free throughout its life.
    """
    placed: list[tuple[Interval, int]] = []
    offsets: dict[int, int] = {}
    size = 0
    for interval in sorted(intervals, key=lambda item: (-item.size, item.first)):
        taken = sorted(
            (offset, offset + _aligned(other.size)) for other, offset in placed if overlap(interval, other)
        )
        at = 0
        for start, end in taken:
            if start - at >= _aligned(interval.size):
                break
            at = max(at, end)
        offsets[interval.value] = at
        placed.append((interval, at))
        size = max(size, at + _aligned(interval.size))
    return Layout(offsets, size)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
