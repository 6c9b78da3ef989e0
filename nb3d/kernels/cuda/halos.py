"""What the halo kernels share: which convolutions they take, how many blocks there are, how they are launched."""

from __future__ import annotations

import math
from collections.abc import Callable

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cuda import tiles
from nb3d.kernels.cuda.conv3d_tile import TILE
from nb3d.kernels.cuda.conv3d_tile_tf32 import TILE_TF32
from nb3d.kernels.cuda.conv3d_tile_tf32x3 import TILE_TF32X3
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program
from nb3d.kernels.cuda.splits import Split, Work, best_split
from nb3d.kernels.cuda.strides import MOST
from nb3d.kernels.cuda.sums import launch_sums
from nb3d.kernels.policy import current

BLOCK = 4, 8, 8  # voxels of a block
CHANNELS = 16  # of a chunk: those of a voxel that are in shared memory
VOXEL = 80  # bytes of a voxel in shared memory
TILE_KINDS = TILE, TILE_TF32, TILE_TF32X3
MOST_SHARED = 99 * 1024  # bytes of a block on the smallest GPUs


def halo(kernel: tuple[int, ...]) -> tuple[int, int, int]:
    """Returns the voxels of a block and around it, per axis."""
    d, h, w = (size + taps - 1 for size, taps in zip(BLOCK, kernel, strict=True))
    return d, h, w


def why_not(case: Case, shared: int) -> str | None:
    """Returns why a convolution does not fit a kernel whose blocks take so much shared memory."""
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
    if shared > MOST_SHARED:
        return f"the halo of a kernel of {case.inputs[1][:3]} does not fit shared memory"
    if case.inputs[0][4] % 4:
        return f"needs channels in multiples of 4, got {case.inputs[0][4]}"
    if math.prod(case.out[:4]) > MOST:
        return "has more than 2**31 voxels"
    return None


def why_slower(case: Case, split: Split) -> str | None:
    """Returns that tiles, which pad less, should compute a case instead."""
    kinds = (kind for kind in TILE_KINDS if current().precision in kind.precisions)
    return next((reason for kind in kinds if (reason := tiles.why_slower(case, split, kind))), None)


def blocks_of(case: Case) -> tuple[int, int, int]:
    """Returns the blocks along every axis of the volume."""
    d, h, w = (-(-n // size) for n, size in zip(case.out[1:4], BLOCK, strict=True))
    return d, h, w


def split(case: Case, filters: int, speed: float, resident: int) -> Split:
    """Returns how the sums of a case are divided best.

    Args:
        case: The case.
        filters: Of a block.
        speed: FLOP/s of a GPU that is full of such blocks.
        resident: Blocks of a multiprocessor.
    """
    (batch, *_, channels), kernel = case.inputs[0], case.inputs[1][:3]
    weights = filters * CHANNELS * math.prod(kernel)
    work = Work(
        blocks=batch * math.prod(blocks_of(case)) * -(-case.out[4] // filters), pieces=-(-channels // CHANNELS),
        flops=2 * math.prod(BLOCK) * weights, traffic=4 * (math.prod(halo(kernel)) * CHANNELS + weights), speed=speed,
        warps=4, resident=resident, waits=2 + kernel[0] * kernel[1],
    )  # fmt: skip
    return best_split(work, math.prod(case.out) * 4)


def load(case: Case, filters: int, split: Split, program_of: Callable[[int], Program]) -> Kernel:
    """Returns a kernel.

    Args:
        case: The case.
        filters: Of a block.
        split: How sums are divided.
        program_of: Returns the program with the number of an activation.
    """
    (batch, *sizes, channels), (alpha, beta) = case.inputs[0], case.params[11:]
    blocks = blocks_of(case)
    grid = (batch * math.prod(blocks), -(-case.out[4] // filters), split.parts)

    def conv3d(x, kernel, biases, residual, out, scratch, *params):
        def launch_parts(code, bias, residuals, to, pitch, fours):
            launch(
                program_of(code), grid, x, kernel, bias, residuals, to, *sizes, channels, *case.out[1:4],
                *case.params[3:6], case.out[4], pitch, -(-channels // CHANNELS), *blocks, split.run,
                math.prod(case.out), fours, alpha, beta,
            )  # fmt: skip

        launch_sums(case, split, case.out[4], launch_parts, biases, residual, out, scratch)

    return conv3d
