"""conv3d of stride 1 in float32 with the halo in shared memory: see ``device/conv_halo.py``."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import OUT, Arrays, Case, Kernel
from nb3d.kernels.cuda.halos import MOST_SHARED, WIDTH, Block, padded_bias, tiles, why_not, why_wasteful, writes_fours
from nb3d.kernels.cuda.halos import slices as slices
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program, program

CHANNELS, FILTERS, THREAD_FILTERS = 16, 32, 8
BLOCK = Block(4, 8)
RESIDENT = 3
ARGUMENTS = (*("float32[]",) * 5, *("int32",) * 16, *("float32",) * 2)


def accepts(case: Case) -> str | None:
    """Accepts float32, channels in fours, kernels whose halo fits shared memory."""
    reason = why_not(case, vector=4)
    if reason is None and shared_bytes(case.inputs[1][:3]) > MOST_SHARED:
        return f"the halo of a kernel of {case.inputs[1][:3]} does not fit shared memory"
    return reason


def declines(case: Case) -> str | None:
    """Declines what would be mostly padding."""
    return why_wasteful(case, CHANNELS, FILTERS)


def shared_bytes(kernel: tuple[int, ...]) -> int:
    """Returns the shared memory of a block."""
    kd, kh, kw = kernel
    row = (WIDTH + kw - 1) * (CHANNELS * 4 + 16) + 16
    halo = (BLOCK.depth + kd - 1) * (BLOCK.height + kh - 1) * row + 2 * kw * CHANNELS * FILTERS * 4
    return max(halo, BLOCK.depth * BLOCK.height * WIDTH * FILTERS * 4)  # sums may go through it


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Packs weights as ``(block of filters, chunk of channels, tap, channel, filter)``, padded with zeros."""
    x, kernel, bias, residual = inputs
    channels, filters = kernel.shape[3:]
    chunks, blocks = -(-channels // CHANNELS), -(-filters // FILTERS)
    whole = np.zeros((*kernel.shape[:3], chunks * CHANNELS, blocks * FILTERS), np.float32)
    whole[..., :channels, :filters] = kernel
    packed = whole.reshape(-1, chunks, CHANNELS, blocks, FILTERS).transpose(3, 1, 0, 2, 4)
    return x, np.ascontiguousarray(packed), padded_bias(case, bias, FILTERS), residual


def halo_program(kernel: tuple[int, ...], residual: bool, whole: bool, code: int) -> Program:
    """Returns a variant of the kernel."""
    kd, kh, kw = kernel
    threads = BLOCK.depth * BLOCK.height * FILTERS // THREAD_FILTERS
    return program(
        "conv_halo", ARGUMENTS, threads, RESIDENT, shared_bytes(kernel), depth=BLOCK.depth, height=BLOCK.height,
        kd=kd, kh=kh, kw=kw, residual=residual, whole=whole, code=code,
    )  # fmt: skip


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    (batch, *sizes, channels), (*_, filters) = case.inputs[0], case.out
    residuals, pitch = case.inputs[3] != (0,), case.pitch(OUT)
    blocks = tiles(case, BLOCK)
    grid = (batch * blocks[0] * blocks[1] * blocks[2], -(-filters // FILTERS))

    def conv3d(x, kernel, bias, residual, out, scratch, *params):
        whole = writes_fours(filters, pitch, out)
        launch(
            halo_program(case.inputs[1][:3], residuals, whole, int(case.params[10])), grid, x, kernel, bias, residual,
            out, *sizes, channels, *case.out[1:4], *case.params[3:6], filters, pitch, -(-channels // CHANNELS), *blocks,
            *case.params[11:],
        )  # fmt: skip

    return conv3d
