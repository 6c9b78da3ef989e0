"""The arena's invariant: two values that are alive together never share a byte."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from nb3d.plan.arena import ALIGNMENT, Interval, lay_out, overlap


@st.composite
def lives(draw: st.DrawFn) -> list[Interval]:
    spans = draw(st.lists(st.tuples(st.integers(-1, 20), st.integers(0, 10), st.integers(0, 5000)), max_size=25))
    return [Interval(i, first, first + length, size) for i, (first, length, size) in enumerate(spans)]


@given(lives())
def test_values_alive_together_never_overlap(intervals: list[Interval]) -> None:
    layout = lay_out(intervals)
    for a, b in combinations(intervals, 2):
        if overlap(a, b):
            start_a, start_b = layout.offsets[a.value], layout.offsets[b.value]
            assert start_a + a.size <= start_b or start_b + b.size <= start_a


@given(lives())
def test_offsets_are_aligned_and_inside(intervals: list[Interval]) -> None:
    layout = lay_out(intervals)
    for interval in intervals:
        offset = layout.offsets[interval.value]
        assert offset % ALIGNMENT == 0
        assert 0 <= offset <= offset + interval.size <= layout.size


def test_memory_is_reused_after_a_value_has_died() -> None:
    chain = [Interval(i, i, i + 1, 1000) for i in range(10)]
    assert lay_out(chain).size < 3 * 1100
