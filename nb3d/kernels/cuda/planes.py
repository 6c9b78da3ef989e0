"""Kernels that walk over the planes of a volume: pooling and plain convolutions. See ``device/pool.py``."""

from __future__ import annotations

from typing import Any

from nb3d.kernels.case import Case, Shape
from nb3d.kernels.cuda.launches import MOST_BLOCKS, launch
from nb3d.kernels.cuda.program import Program
from nb3d.kernels.cuda.strides import MOST, THREADS


def why_too_large(case: Case) -> str | None:
    """Returns why a plane's values cannot be counted in 32 bits."""
    for batch, depth, height, width, channels in (case.inputs[0], case.out):
        if height * width * channels > MOST or batch * depth > MOST:
            return "a plane of the volume has more than 2**31 values"
    return None


def launch_planes(item: Program, out: Shape, *arguments: Any) -> None:
    """Launches a kernel with one thread for each value of a plane of ``out``; it walks over the planes itself."""
    batch, depth, height, width, channels = out
    launch(item, (-(-height * width * channels // THREADS), min(batch * depth, MOST_BLOCKS[1])), *arguments)
