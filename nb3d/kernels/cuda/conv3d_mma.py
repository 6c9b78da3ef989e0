"""conv3d of stride 1 on tensor cores, in three precisions: see ``device/conv_mma.py``.

A module of the table for each precision calls ``serve``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nb3d.kernels.case import OUT, Arrays, Case, Kernel
from nb3d.kernels.cuda.halos import MOST_SHARED, WIDTH, Block, padded_bias, tiles, why_not, why_wasteful, writes_fours
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.policy import current

CHANNELS, FILTERS, THREADS = 16, 32, 128
BLOCK = Block(4, 8)
RESIDENT = 2
ARGUMENTS = ("float32[]", "uint32[]", *("float32[]",) * 3, *("int32",) * 16, *("float32",) * 2)
LANE = np.arange(32)


@dataclass(frozen=True)
class Kind:
    """One way to use tensor cores.

    Attributes:
        name: Of the kernel's variant.
        precision: The policy's precision that asks for it.
        voxel: Bytes of a voxel in shared memory.
        tap: Bytes of the weights of a tap, for one chunk of channels and one block of filters.
    """

    name: str
    precision: str
    voxel: int
    tap: int


TF32 = Kind("tf32", "tf32", 80, 2048)
TF32X3 = Kind("tf32x3", "fast_float32", 80, 4096)
BF16 = Kind("bf16", "bfloat16", 96, 1024)


def shared_bytes(kind: Kind, kernel: tuple[int, ...]) -> int:
    """Returns the shared memory of a block."""
    kd, kh, kw = kernel
    halo = (BLOCK.depth + kd - 1) * (BLOCK.height + kh - 1) * (WIDTH + kw - 1) * kind.voxel
    return max(halo + 2 * kw * kind.tap, BLOCK.depth * BLOCK.height * WIDTH * FILTERS * 4)


def round_tf32(values: np.ndarray) -> np.ndarray:
    """Returns floats with 10 bits of mantissa, rounded to the nearest, ties away from zero, as the GPU rounds."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = np.where((bits & 0x7F800000) != 0x7F800000, bits + np.uint32(0x1000), bits)
    return (rounded & np.uint32(0xFFFFE000)).view(np.float32)


def round_bf16(values: np.ndarray) -> np.ndarray:
    """Returns the upper halves of floats, rounded to the nearest, ties to even, as ``uint16``."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))) >> np.uint32(16)
    return np.where(np.isnan(values), 0x7FFF, rounded).astype(np.uint16)


def _fragments(tiled: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Picks what every lane needs: ``(..., channels of a step, 16 filters)`` -> ``(..., lane, product, rows)``.

    Column ``g`` of product ``p`` is filter ``4 (g // 2) + g % 2 + 2 p``: a lane's sums are then 4 neighbours.
    """
    g = LANE // 4
    columns = (g // 2 * 4 + g % 2)[:, None] + 2 * np.arange(2)
    return tiled[..., rows[:, None, :], columns[:, :, None]]


def pack(kind: Kind, kernel: np.ndarray) -> np.ndarray:
    """Returns weights as words, ``(block of filters, chunk of channels, tap, step, piece, 16 filters, lane, 4)``."""
    channels, filters = kernel.shape[3:]
    chunks, blocks = -(-channels // CHANNELS), -(-filters // FILTERS)
    whole = np.zeros((*kernel.shape[:3], chunks * CHANNELS, blocks * FILTERS), np.float32)
    whole[..., :channels, :filters] = kernel
    depth = 16 if kind is BF16 else 8
    tiled = whole.reshape(-1, chunks, CHANNELS // depth, depth, blocks, FILTERS // 16, 16)
    tiled = tiled.transpose(4, 1, 0, 2, 5, 3, 6)  # block, chunk, tap, step, 16 filters, channel, filter
    t = LANE % 4
    if kind is BF16:
        rows = 2 * t[:, None] + np.array([0, 1, 8, 9])
        halves = round_bf16(_fragments(tiled, rows))
        return np.ascontiguousarray(halves).view(np.uint32)
    rows = t[:, None] + np.array([0, 4])
    values = _fragments(tiled, rows)
    high = round_tf32(values)
    pieces = [high] if kind is TF32 else [high, round_tf32(values - high)]
    return np.ascontiguousarray(np.stack(pieces, axis=4)).view(np.uint32)


def mma_program(kind: Kind, kernel: tuple[int, ...], residual: bool, whole: bool, code: int) -> Program:
    """Returns a variant of the kernel."""
    kd, kh, kw = kernel
    return program(
        "conv_mma", ARGUMENTS, THREADS, RESIDENT, shared_bytes(kind, kernel), kind=kind.name, kd=kd, kh=kh, kw=kw,
        voxel=kind.voxel, residual=residual, whole=whole, code=code,
    )  # fmt: skip


Functions = tuple[
    Callable[[Case], str | None], Callable[[Case], str | None], Callable[[Case, Arrays], Arrays],
    Callable[[Case], Kernel],
]  # fmt: skip


def serve(kind: Kind) -> Functions:
    """Returns the ``accepts``, ``declines``, ``prepare`` and ``load`` of a precision."""

    def accepts(case: Case) -> str | None:
        reason = why_not(case, vector=4)
        if reason is None and shared_bytes(kind, case.inputs[1][:3]) > MOST_SHARED:
            return f"the halo of a kernel of {case.inputs[1][:3]} does not fit shared memory"
        return reason

    def declines(case: Case) -> str | None:
        if current().precision != kind.precision:
            return f"the precision is {current().precision}"
        return why_wasteful(case, CHANNELS, FILTERS)

    def prepare(case: Case, inputs: Arrays) -> Arrays:
        x, kernel, bias, residual = inputs
        return x, pack(kind, kernel), padded_bias(case, bias, FILTERS), residual

    def load(case: Case) -> Kernel:
        (batch, *sizes, channels), (*_, filters) = case.inputs[0], case.out
        residuals, pitch = case.inputs[3] != (0,), case.pitch(OUT)
        blocks = tiles(case, BLOCK)
        grid = (batch * blocks[0] * blocks[1] * blocks[2], -(-filters // FILTERS))

        def conv3d(x, kernel, bias, residual, out, scratch, *params):
            whole = writes_fours(filters, pitch, out)
            launch(
                mma_program(kind, case.inputs[1][:3], residuals, whole, int(case.params[10])), grid, x, kernel, bias,
                residual, out, *sizes, channels, *case.out[1:4], *case.params[3:6], filters, pitch,
                -(-channels // CHANNELS), *blocks, *case.params[11:],
            )  # fmt: skip

        return conv3d

    return accepts, declines, prepare, load
