"""conv3d of few channels in float32: see ``device/conv_stem.py``."""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels.case import Arrays, Case, Kernel
from nb3d.kernels.cuda import halos
from nb3d.kernels.cuda.halos import BLOCK, MOST_SHARED, blocks_of
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.cuda.splits import FLOAT32, Split, Work, undivided
from nb3d.kernels.cuda.sums import launch_sums, padded_bias
from nb3d.kernels.cuda.sums import slices as slices
from nb3d.kernels.cuda.tiles import why_not

FILTERS, THREADS, RESIDENT = 32, 128, 3
ROOM = 227 * 1024  # bytes of shared memory of a multiprocessor
MOST_CHANNELS = 4
SHARE = 0.85  # of the best speed
ARGUMENTS = (*("float32[]",) * 5, *("int32",) * 15, *("float32",) * 2)


def accepts(case: Case) -> str | None:
    """Accepts float32, few channels, any stride; voxels and weights of a block that fit shared memory."""
    reason = why_not(case)
    if reason is None and (case.params[6:9] != (1, 1, 1) or case.params[9] != 1):
        return "needs dilation 1 and one group"
    if reason is None and case.inputs[0][4] > MOST_CHANNELS:
        return f"is for up to {MOST_CHANNELS} channels, got {case.inputs[0][4]}"
    if reason is None and shared_bytes(case) > MOST_SHARED:
        return f"what a block of a kernel of {case.inputs[1][:3]} sees does not fit shared memory"
    return reason


def declines(case: Case) -> str | None:
    """Declines what tiles compute faster, on tensor cores perhaps."""
    return halos.why_slower(case, split(case))


def seen(case: Case) -> tuple[int, int, int]:
    """Returns planes, rows and words of a row that a block sees."""
    kernel, strides = case.inputs[1][:3], case.params[:3]
    d, h, w = ((size - 1) * s + k for size, s, k in zip(BLOCK, strides, kernel, strict=True))
    return d, h, w * case.inputs[0][4]


def shared_bytes(case: Case) -> int:
    """Returns the shared memory of a block."""
    planes, rows, words = seen(case)
    halo = -(-planes * rows * (words | 1) * 4 // 16) * 16
    return max(halo + math.prod(case.inputs[1][:4]) * FILTERS * 4, math.prod(BLOCK) * FILTERS * 4)


def resident(case: Case) -> int:
    """Returns the blocks of a multiprocessor of an H100."""
    return min(RESIDENT, ROOM // shared_bytes(case))


def split(case: Case) -> Split:
    """Returns the estimated time; sums are never divided."""
    weights = math.prod(case.inputs[1][:4]) * FILTERS
    return undivided(Work(
        blocks=case.inputs[0][0] * math.prod(blocks_of(case)) * -(-case.out[4] // FILTERS), pieces=1,
        flops=2 * math.prod(BLOCK) * weights, traffic=4 * (4 * math.prod(seen(case)) + weights), speed=SHARE * FLOAT32,
        warps=THREADS // 32, resident=resident(case), waits=2,
    ))  # fmt: skip


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Packs weights as ``(block of filters, tap and channel, filter)``, padded with zeros."""
    x, kernel, bias, residual = inputs
    filters = kernel.shape[4]
    blocks = -(-filters // FILTERS)
    whole = np.zeros((math.prod(kernel.shape[:4]), blocks * FILTERS), np.float32)
    whole[:, :filters] = kernel.reshape(-1, filters)
    packed = whole.reshape(-1, blocks, FILTERS).transpose(1, 0, 2)
    return x, np.ascontiguousarray(packed), padded_bias(bias, 1, filters, blocks * FILTERS), residual


def stem_program(case: Case, code: int) -> Program:
    """Returns a variant of the kernel."""
    (kd, kh, kw), (sd, sh, sw) = case.inputs[1][:3], case.params[:3]
    return program(
        "conv_stem", ARGUMENTS, THREADS, resident(case), shared_bytes(case), depth=BLOCK[0], height=BLOCK[1],
        channels=case.inputs[0][4], kd=kd, kh=kh, kw=kw, sd=sd, sh=sh, sw=sw, code=code,
    )  # fmt: skip


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    (batch, *sizes, _), (alpha, beta), filters = case.inputs[0], case.params[11:], case.out[4]
    blocks = blocks_of(case)
    grid = (batch * math.prod(blocks), -(-filters // FILTERS))

    def conv3d(x, kernel, biases, residual, out, scratch, *params):
        def launch_parts(code, bias, residuals, to, pitch, fours):
            launch(
                stem_program(case, code), grid, x, kernel, bias, residuals, to, *sizes, *case.out[1:4],
                *case.params[3:6], filters, pitch, *blocks, fours, alpha, beta,
            )  # fmt: skip

        launch_sums(case, split(case), filters, launch_parts, biases, residual, out, scratch)

    return conv3d
