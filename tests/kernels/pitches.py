"""Cases whose operands are slices of the channels of larger arrays."""

from __future__ import annotations

from dataclasses import replace

from nb3d.kernels.case import Case

FIRST, MORE = 3, 5  # channels before a slice, and more than it has in all
POISON = -7777.0


def pitched(case: Case, positions: tuple[int, ...], more: int = MORE) -> Case:
    """The case with some operands in arrays that have so many more channels."""
    pitches = [shape[-1] if shape else 1 for shape in (*case.inputs, case.out)]
    for position in positions:
        pitches[position] += more
    return replace(case, pitches=tuple(pitches))
