"""What the halo kernels share: which convolutions they take, how their grid is laid out, padded biases."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nb3d.kernels.case import OUT, Case
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.strides import MOST

WIDTH = 8  # voxels of a block along the last axis
MOST_SHARED = 99 * 1024  # bytes of a block on the smallest GPUs
MOST_PADDING = 4 / 3  # of channels or filters, for a halo kernel to be the right choice


@dataclass(frozen=True)
class Block:
    """Voxels of a block along the first two axes."""

    depth: int
    height: int


def why_not(case: Case, vector: int) -> str | None:
    """Returns why a convolution does not fit halo kernels that copy ``vector`` channels together.

    Args:
        case: The case.
        vector: Channels that are 16 bytes.
    """
    if any(dtype != "float32" for dtype in (case.out_dtype, *case.dtypes)):
        return f"computes float32 only, got {', '.join((*case.dtypes, case.out_dtype))}"
    if 0 in (*case.out, *case.inputs[0]):
        return "an array is empty"
    if case.constant and not all(case.constant[i] for i in (1, 2) if case.inputs[i] != (0,)):
        return "packs its weights once, and these are not constant"
    if case.params[:3] != (1, 1, 1) or case.params[6:9] != (1, 1, 1) or case.params[9] != 1:
        return "needs stride 1, dilation 1 and one group"
    if case.inputs[1][:3] == (1, 1, 1):
        return "a product of voxels has no halo"
    if case.inputs[0][4] % vector:
        return f"needs channels in multiples of {vector}, got {case.inputs[0][4]}"
    if math.prod(case.out[:4]) > MOST:
        return "has more than 2**31 voxels"
    return None


def why_wasteful(case: Case, channels: int, filters: int) -> str | None:
    """Returns why another kernel should compute a case: padding to whole tiles would cost too much.

    Args:
        case: The case.
        channels: Of a chunk.
        filters: Of a block.
    """
    for what, size, tile in (("channels", case.inputs[0][4], channels), ("filters", case.out[4], filters)):
        if -(-size // tile) * tile > MOST_PADDING * size:
            return f"{size} {what} fill too little of {tile}"
    return None


def tiles(case: Case, block: Block) -> tuple[int, int, int]:
    """Returns the blocks along every axis of the volume."""
    sizes = (block.depth, block.height, WIDTH)
    d, h, w = (-(-n // size) for n, size in zip(case.out[1:4], sizes, strict=True))
    return d, h, w


def slices(case: Case) -> tuple[int, ...]:
    """The output may be a slice, unless a residual that lies otherwise is added."""
    return (OUT,) if case.op != "conv3d" or case.inputs[3] == (0,) else ()


def writes_fours(filters: int, pitch: int, out: Array) -> bool:
    """Whether four filters of a voxel can be written at once, wherever the result is a slice of."""
    return filters % 4 == 0 and pitch % 4 == 0 and out.address % 16 == 0


def padded_bias(case: Case, bias: np.ndarray, filters: int) -> np.ndarray:
    """Returns the bias, zeros where there is none, padded to whole blocks of ``filters``."""
    result = np.zeros(-(-case.out[4] // filters) * filters, np.float32)
    result[: bias.size] = bias
    return result
