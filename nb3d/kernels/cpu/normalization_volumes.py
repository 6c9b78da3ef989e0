"""normalization over several rows: group and instance normalization of volumes. Twice through memory.

``moments.py`` reads the volume and makes a table of means, factors and shifts; ``affine.py`` reads it once more and
writes the result, activation included. Measured on two cores of a Zen 4, 64^3 voxels of 32 channels: 2.7 ms.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import OUT, Case, Kernel
from nb3d.kernels.cpu.affine import Affine, repetitions
from nb3d.kernels.cpu.arrays import CACHE_LINE, address, round_up
from nb3d.kernels.cpu.moments import Moments
from nb3d.kernels.cpu.operands import why_not_floats


def sizes(case: Case) -> tuple[int, int, int]:
    """Returns ``(outer, rows, channels)``."""
    *shape, channels = case.out
    first = case.params[0]
    outer, rows = (int(np.prod(part, dtype=np.int64)) for part in (shape[:first], shape[first:]))
    return outer, rows, channels


def accepts(case: Case) -> str | None:
    """Accepts floats, several rows of them."""
    if reason := why_not_floats(case):
        return reason
    return None if sizes(case)[1] > 1 else "every row is normalized by itself"


def overwrites(case: Case) -> tuple[int, ...]:
    """Its input: statistics are complete before anything is written."""
    return (0,)


def slices(case: Case) -> tuple[int, ...]:
    """The output."""
    return (OUT,)


def _moments(case: Case) -> tuple[Moments, int]:
    """Returns what computes the tables, and their period."""
    outer, rows, channels = sizes(case)
    _, groups, epsilon, centered, divisor = case.params[:5]
    period = channels * min(repetitions(channels), rows)
    parts = Moments(case.out_dtype, (outer, rows, channels), groups, period, epsilon, bool(centered), divisor)
    return parts, period


def scratch(case: Case, threads: int) -> int:
    """Moments of all stretches, and a table for each outer index."""
    return _moments(case)[0].scratch + CACHE_LINE


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    outer, rows, channels = sizes(case)
    moments, period = _moments(case)
    write = Affine(case, outer, rows * channels, period, outer, case.params[5:])
    needed = moments.scratch + CACHE_LINE

    def normalization(x, offset, scale, out, scratch, *params):
        if scratch.size < needed:
            raise ValueError(f"Expected at least {needed} bytes of scratch, got {scratch.size}.")
        source = address(x)
        write(source, address(out), moments(source, address(scale), address(offset), round_up(address(scratch))))

    return normalization
