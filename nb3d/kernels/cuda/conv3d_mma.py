"""conv3d of stride 1 on tensor cores, in three precisions: see ``device/conv_mma.py``.

A module of the table for each precision calls ``serve``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nb3d.kernels.case import Arrays, Case, Kernel
from nb3d.kernels.cuda import halos
from nb3d.kernels.cuda.fragments import bf16_fragments, tf32_fragments
from nb3d.kernels.cuda.halos import BLOCK, CHANNELS, MOST_SHARED, VOXEL, halo
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.cuda.splits import Split
from nb3d.kernels.cuda.sums import padded_bias, partial_bytes
from nb3d.kernels.policy import current

THREADS = 128
FILTERS = 32, 64  # that a block may have
RESIDENT = 2
ARGUMENTS = (
    "float32[]", "uint32[]", *("float32[]",) * 3, *("int32",) * 17, "int64", "int32", *("float32",) * 2,
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One way to use tensor cores.

    Attributes:
        name: Of the kernel's variant.
        precision: The policy's precision that asks for it.
        tap: Bytes of the weights of a tap for one filter and one chunk of channels.
        speed: FLOP/s that blocks of 32 and of 64 filters should reach on an H100; estimates.
    """

    name: str
    precision: str
    tap: int
    speed: tuple[float, float]


TF32 = Kind("tf32", "tf32", 64, (180e12, 230e12))
TF32X3 = Kind("tf32x3", "fast_float32", 128, (80e12, 85e12))
BF16 = Kind("bf16", "bfloat16", 32, (300e12, 400e12))


def shared_bytes(kind: Kind, filters: int, kernel: tuple[int, ...]) -> int:
    """Returns the shared memory of a block."""
    room = math.prod(halo(kernel)) * VOXEL + 2 * kernel[2] * kind.tap * filters
    return max(room, math.prod(BLOCK) * filters * 4)  # sums go through it


@lru_cache(maxsize=1024)
def choice(kind: Kind, case: Case) -> tuple[int, Split]:
    """Returns the filters of a block, and how sums are divided."""
    options = [
        (filters, halos.split(case, filters, speed, RESIDENT))
        for filters, speed in zip(FILTERS, kind.speed, strict=True)
        if shared_bytes(kind, filters, case.inputs[1][:3]) <= MOST_SHARED or filters == FILTERS[0]
    ]
    return min(options, key=lambda option: option[1].seconds)


def pack(kind: Kind, columns: int, kernel: np.ndarray) -> np.ndarray:
    """Returns weights as words, ``(block of filters, chunk of channels, tap, step, piece, 16 filters, lane, 4)``."""
    channels, filters = kernel.shape[3:]
    chunks, blocks = -(-channels // CHANNELS), -(-filters // columns)
    whole = np.zeros((*kernel.shape[:3], chunks * CHANNELS, blocks * columns), np.float32)
    whole[..., :channels, :filters] = kernel
    depth = 16 if kind is BF16 else 8
    tiled = whole.reshape(-1, chunks, CHANNELS // depth, depth, blocks, columns // 16, 16)
    tiled = tiled.transpose(4, 1, 0, 2, 5, 3, 6)  # block, chunk, tap, step, 16 filters, channel, filter
    return bf16_fragments(tiled) if kind is BF16 else tf32_fragments(tiled, pieces=kind.tap // 64, axis=4)


def mma_program(kind: Kind, filters: int, kernel: tuple[int, ...], code: int) -> Program:
    """Returns a variant of the kernel."""
    kd, kh, kw = kernel
    return program(
        "conv_mma", ARGUMENTS, THREADS, RESIDENT, shared_bytes(kind, filters, kernel), kind=kind.name,
        filters=filters, kd=kd, kh=kh, kw=kw, code=code,
    )  # fmt: skip


Functions = tuple[
    Callable[[Case], str | None], Callable[[Case], str | None], Callable[[Case, Arrays], Arrays],
    Callable[[Case, int], int], Callable[[Case], Kernel],
]  # fmt: skip


def serve(kind: Kind) -> Functions:
    """Returns the ``accepts``, ``declines``, ``prepare``, ``scratch`` and ``load`` of a precision."""

    def accepts(case: Case) -> str | None:
        return halos.why_not(case, shared_bytes(kind, FILTERS[0], case.inputs[1][:3]))

    def declines(case: Case) -> str | None:
        if current().precision != kind.precision:
            return f"the precision is {current().precision}"
        return halos.why_slower(case, choice(kind, case)[1])

    def prepare(case: Case, inputs: Arrays) -> Arrays:
        x, kernel, bias, residual = inputs
        columns, filters = choice(kind, case)[0], case.out[4]
        biases = padded_bias(bias, 1, filters, -(-filters // columns) * columns)
        return x, pack(kind, columns, kernel), biases, residual

    def scratch(case: Case, threads: int) -> int:
        return partial_bytes(choice(kind, case)[1], case)

    def load(case: Case) -> Kernel:
        columns, split = choice(kind, case)
        return halos.load(case, columns, split, lambda code: mma_program(kind, columns, case.inputs[1][:3], code))

    return accepts, declines, prepare, scratch, load
