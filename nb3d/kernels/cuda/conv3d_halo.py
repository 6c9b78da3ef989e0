"""conv3d of stride 1 in float32 with the halo in shared memory: see ``device/conv_halo.py``."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from nb3d.kernels.case import Arrays, Case, Kernel
from nb3d.kernels.cuda import halos
from nb3d.kernels.cuda.halos import BLOCK, CHANNELS, VOXEL, halo
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.cuda.splits import FLOAT32, Split
from nb3d.kernels.cuda.sums import padded_bias, partial_bytes
from nb3d.kernels.cuda.sums import slices as slices

FILTERS, THREAD_FILTERS = 32, 8
THREADS = BLOCK[0] * BLOCK[1] * FILTERS // THREAD_FILTERS
RESIDENT = 3
SHARE = 0.95  # of the best speed: what its instructions allow
ARGUMENTS = (*("float32[]",) * 5, *("int32",) * 17, "int64", "int32", *("float32",) * 2)


def accepts(case: Case) -> str | None:
    """Accepts float32, channels in fours, kernels whose halo fits shared memory."""
    return halos.why_not(case, shared_bytes(case.inputs[1][:3]))


@lru_cache(maxsize=1024)
def split(case: Case) -> Split:
    """Returns how sums are divided."""
    return halos.split(case, FILTERS, SHARE * FLOAT32, RESIDENT)


def declines(case: Case) -> str | None:
    """Declines what would be mostly padding."""
    return halos.why_slower(case, split(case))


def shared_bytes(kernel: tuple[int, ...]) -> int:
    """Returns the shared memory of a block."""
    d, h, w = halo(kernel)
    room = d * h * (w * VOXEL + 16) + 2 * kernel[2] * CHANNELS * FILTERS * 4
    return max(room, math.prod(BLOCK) * FILTERS * 4)  # sums may go through it


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Packs weights as ``(block of filters, chunk of channels, tap, channel, filter)``, padded with zeros."""
    x, kernel, bias, residual = inputs
    channels, filters = kernel.shape[3:]
    chunks, blocks = -(-channels // CHANNELS), -(-filters // FILTERS)
    whole = np.zeros((*kernel.shape[:3], chunks * CHANNELS, blocks * FILTERS), np.float32)
    whole[..., :channels, :filters] = kernel
    packed = whole.reshape(-1, chunks, CHANNELS, blocks, FILTERS).transpose(3, 1, 0, 2, 4)
    return x, np.ascontiguousarray(packed), padded_bias(bias, 1, filters, blocks * FILTERS), residual


def scratch(case: Case, threads: int) -> int:
    """The parts of divided sums."""
    return partial_bytes(split(case), case)


def halo_program(kernel: tuple[int, ...], code: int) -> Program:
    """Returns a variant of the kernel."""
    kd, kh, kw = kernel
    return program(
        "conv_halo", ARGUMENTS, THREADS, RESIDENT, shared_bytes(kernel), depth=BLOCK[0], height=BLOCK[1],
        kd=kd, kh=kh, kw=kw, code=code,
    )  # fmt: skip


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    return halos.load(case, FILTERS, split(case), lambda code: halo_program(case.inputs[1][:3], code))
