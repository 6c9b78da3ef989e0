"""Convolution of stride 1 in float32: a tile of the volume with its halo stays in shared memory for all taps.

A block makes ``depth x height x 8`` voxels times 32 filters; a thread 8 voxels of a row times 8 filters, 64 sums in
registers. 16 channels are resident at a time, so every voxel comes from memory once per block and chunk; weights come
one row of taps at a time, the next row by asynchronous copies while this one is used. Voxels outside are zero-filled
by the copies. The third axis of the grid counts the parts of a divided sum: ``run`` chunks each. A voxel takes 80 bytes
in shared memory and a row 16 more, which keeps 128-bit reads free of conflicts.

For 3x3x3 with 4 x 8 x 8 voxels: 61 KB of shared memory, 3 blocks on a multiprocessor; inner loop 256 multiply-adds of
284 instructions. Shared memory and arithmetic are then equally busy. Unmeasured: no GPU has run it. Rejected: Winograd
(its transforms move eight times the data, or leave one block on a multiprocessor).
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.blocks import TALL, WIDE, locating, writing
from nb3d.kernels.cuda.device.float32_products import float32_products
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.device.staging import VECTORS, VOXEL, staging
from nb3d.kernels.cuda.door import cuda

WIDTH, FILTERS, CHANNELS = 8, 32, 4 * VECTORS  # of a block, and of a chunk
I, U = np.int32, np.uint32  # noqa: E741


def build(depth: int, height: int, kd: int, kh: int, kw: int, code: int):
    """Returns the kernel.

    Args:
        depth: Voxels of a block along the first axis.
        height: Voxels of a block along the second axis.
        kd: Taps along the first axis.
        kh: Taps along the second axis.
        kw: Taps along the third axis.
        code: Number of the activation.
    """
    across = FILTERS // WIDE
    threads = across * depth * height
    halo_d, halo_h, halo_w = depth + kd - 1, height + kh - 1, WIDTH + kw - 1
    row_bytes = halo_w * VOXEL + 16
    plane_bytes = halo_h * row_bytes
    halo_bytes = halo_d * plane_bytes
    tap_floats = CHANNELS * FILTERS
    stage_floats, stage_bytes = kw * tap_floats, kw * tap_floats * 4
    stages = kd * kh
    parts, held = TALL * WIDE, TALL * 4
    multiply = float32_products(TALL, WIDE, 4, across * 16)
    locate, finish = locating(depth, height, WIDTH), writing(across, threads, code)
    fill, fetch = staging(threads, (halo_d, halo_h, halo_w), row_bytes, stage_bytes)

    def conv_halo(
        x, weights, bias, residuals, out, d, h, w, channels, o_d, o_h, o_w, p_d, p_h, p_w, filters, pitch, chunks,
        tiles_d, tiles_h, tiles_w, run, whole, fours, alpha, beta,
    ):  # fmt: skip
        begin = asm.shared_address(cuda.shared.array(0, "float32", 16))
        total = cuda.local.array(parts, "float32")
        left = cuda.local.array(held, "float32")
        t = I(cuda.threadIdx.x)
        tx, ty = umod(t, I(across)), udiv(t, I(across))
        block = I(cuda.blockIdx.x)
        batch, d0, h0, w0 = locate(block, tiles_d, tiles_h, tiles_w)
        column = I(cuda.blockIdx.y) * I(FILTERS)
        for i in range(parts):
            total[i] = np.float32(0)
        y_h, y_d = umod(ty, I(height)), udiv(ty, I(height))
        a_begin = begin + U(y_d * I(plane_bytes) + y_h * I(row_bytes))
        b_begin = begin + U(I(halo_bytes) + tx * I(16))
        b_to = begin + U(I(halo_bytes) + t * I(16))
        begin_chunk = I(cuda.blockIdx.z) * run
        source = (np.int64(cuda.blockIdx.y) * chunks + begin_chunk) * I(stages * stage_floats) + t * I(4)
        part = np.int64(cuda.blockIdx.z) * whole

        for chunk in range(begin_chunk, min(begin_chunk + run, chunks)):
            first = I(chunk) * I(CHANNELS)
            fill(begin, x, t, batch, d0 - p_d, h0 - p_h, w0 - p_w, d, h, w, channels, first)
            fetch(b_to, weights, source, t)
            asm.commit()
            buffer, a_row, i_h = U(0), a_begin, I(0)
            for stage in range(stages):
                asm.wait_all()
                cuda.syncthreads()
                source += I(stage_floats)
                if stage + 1 < stages:
                    fetch(b_to + (buffer ^ U(1)) * U(stage_bytes), weights, source, t)
                asm.commit()
                b_row = b_begin + buffer * U(stage_bytes)
                for tap in range(kw):
                    for c in range(VECTORS):
                        for i in range(TALL):
                            v0, v1, v2, v3 = asm.shared4(a_row + U((i + tap) * VOXEL + c * 16))
                            left[i * 4], left[i * 4 + 1], left[i * 4 + 2], left[i * 4 + 3] = v0, v1, v2, v3
                        for k in range(4):
                            multiply(total, left, k, b_row + U((tap * tap_floats + (c * 4 + k) * FILTERS) * 4))
                a_row += U(row_bytes)
                i_h += I(1)
                if i_h == I(kh):
                    i_h = I(0)
                    a_row += U(plane_bytes - kh * row_bytes)
                buffer ^= U(1)
            cuda.syncthreads()

        z, y = d0 + y_d, h0 + y_h
        row = (np.int64(batch) * o_d + z) * o_h + y
        valid = (z < o_d) & (y < o_h)
        mine, first = begin + U(t * I(16)), column + tx * I(4)
        finish(
            out, residuals, bias, total, mine, row, w0, o_w, valid, first, filters, pitch, part, fours, alpha, beta
        )  # fmt: skip

    return conv_halo
