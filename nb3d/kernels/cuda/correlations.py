"""conv3d, conv3d_transpose and dense as sums over taps: what one launch of a tile kernel computes, as data.

A transposed convolution is one plain convolution for every phase of its strides: the outputs ``phase + stride * i``
see the taps of that phase only, and nothing is multiplied by zeros. A dense layer is a convolution of one tap over a
row of voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from nb3d.kernels.case import Case, Shape


@dataclass(frozen=True)
class Correlation:
    """A convolution of stride ``strides`` whose results go to ``places + spacing * i``.

    Attributes:
        taps: ``(position in the kernel, displacement of the voxel)`` of every tap.
        counts: Results per axis.
        strides: Voxels between the windows of neighbouring results.
        begin: The first window's first voxel, per axis.
        spacing: Voxels between neighbouring results.
        places: Where the first result goes.
    """

    taps: tuple[tuple[Shape, Shape], ...]
    counts: Shape
    strides: Shape
    begin: Shape
    spacing: Shape
    places: Shape


@dataclass(frozen=True)
class Sizes:
    """What all launches of a case share: volumes of five axes, channels per group."""

    x: Shape
    out: Shape
    groups: int
    seen: int
    made: int
    transposed: bool


def sizes_of(case: Case) -> Sizes:
    """Returns the sizes of a case, those of ``dense`` as a row of voxels."""
    if case.op == "dense":
        (rows, inside), outside = case.inputs[0], case.out[1]
        return Sizes((1, 1, 1, rows, inside), (1, 1, 1, rows, outside), 1, inside, outside, False)
    groups = 1 if case.op == "conv3d_transpose" else case.params[9]
    x, out = case.inputs[0], case.out
    return Sizes(x, out, groups, x[4] // groups, out[4] // groups, case.op == "conv3d_transpose")


def correlations(case: Case) -> tuple[Correlation, ...]:
    """Returns what has to be launched for a case; together they write every result once."""
    ones, zeros = (1, 1, 1), (0, 0, 0)
    if case.op == "dense":
        return (Correlation(((zeros, zeros),), (1, 1, case.out[0]), ones, zeros, ones, zeros),)
    kernel, counts = case.inputs[1][:3], case.out[1:4]
    strides, paddings, dilations = case.params[:3], case.params[3:6], case.params[6:9]
    if case.op == "conv3d":
        taps = tuple(
            (tap, tuple(k * d for k, d in zip(tap, dilations, strict=True))) for tap in product(*map(range, kernel))
        )
        return (Correlation(taps, counts, strides, tuple(-p for p in paddings), ones, zeros),)
    phases = []
    for phase in product(*map(range, strides)):
        left = tuple(-(-(n - r) // s) for n, r, s in zip(counts, phase, strides, strict=True))
        if min(left) < 1:
            continue
        axes = [
            [(k, (r + p - k * d) // s) for k in range(size) if (r + p - k * d) % s == 0]
            for size, r, p, d, s in zip(kernel, phase, paddings, dilations, strides, strict=True)
        ]
        taps = tuple((tuple(k for k, _ in tap), tuple(at for _, at in tap)) for tap in product(*axes))
        phases.append(Correlation(taps, left, ones, zeros, strides, phase))
    return tuple(phases)
