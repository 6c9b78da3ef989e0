"""Convolution of few channels in float32, the first of most networks: the whole sum from shared memory.

A block makes ``depth x height x 8`` voxels times 32 filters; a thread 8 voxels of a row times 8 filters, 64 sums in
registers. The voxels that the block sees, channels and all, and the weights of its filters are copied once. Channels
follow each other in a row, so a row of taps is one run of ``kw * channels`` values; where the runs of a thread's 8
voxels fit registers, every value is read once per row. A row has an odd number of words, so that rows are read without
conflicts.

For 3x3x3 of 3 channels: 32 KB of shared memory, which the sums need at the end, 576 multiply-adds for 30 + 18 reads of
it; for 3x7x7 with a stride of 2, 86 KB. Unmeasured: no GPU has run it.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.blocks import TALL, WIDE, locating, writing
from nb3d.kernels.cuda.device.float32_products import float32_products
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.door import cuda

WIDTH, FILTERS = 8, 32  # of a block
MOST_HELD, MOST_RUN = 32, 10  # values of a row in registers, of a run: what the compiler unrolls whole
I, U = np.int32, np.uint32  # noqa: E741


def build(
    depth: int, height: int, channels: int, kd: int, kh: int, kw: int, sd: int, sh: int, sw: int, code: int
):  # fmt: skip
    """Returns the kernel.

    Args:
        depth: Voxels of a block along the first axis.
        height: Voxels of a block along the second axis.
        channels: Of a voxel.
        kd: Taps along the first axis.
        kh: Taps along the second axis.
        kw: Taps along the third axis.
        sd: Stride along the first axis.
        sh: Stride along the second axis.
        sw: Stride along the third axis.
        code: Number of the activation.
    """
    across = FILTERS // WIDE
    threads = across * depth * height
    planes, rows = (depth - 1) * sd + kd, (height - 1) * sh + kh
    run, pace = kw * channels, sw * channels
    reach = (WIDTH - 1) * pace + run
    row_bytes = (reach | 1) * 4
    values, halo_bytes = planes * rows * reach, -(-planes * rows * (reach | 1) * 4 // 16) * 16
    loads, chunks = -(-values // threads), kd * kh * run * FILTERS // 4
    copies = -(-chunks // threads)
    held, sums = reach <= MOST_HELD and run <= MOST_RUN, TALL * WIDE
    kept = reach if held else TALL
    multiply = float32_products(TALL, WIDE, pace if held else 1, across * 16)
    locate, finish = locating(depth, height, WIDTH), writing(across, threads, code)

    def conv_stem(
        x, weights, bias, residuals, out, d, h, w, o_d, o_h, o_w, p_d, p_h, p_w, filters, pitch, tiles_d, tiles_h,
        tiles_w, fours, alpha, beta,
    ):  # fmt: skip
        begin = asm.shared_address(cuda.shared.array(0, "float32", 16))
        total = cuda.local.array(sums, "float32")
        left = cuda.local.array(kept, "float32")
        t = I(cuda.threadIdx.x)
        tx, ty = umod(t, I(across)), udiv(t, I(across))
        batch, d0, h0, w0 = locate(I(cuda.blockIdx.x), tiles_d, tiles_h, tiles_w)
        column = I(cuda.blockIdx.y) * I(FILTERS)
        z0, y0, u0 = d0 * I(sd) - p_d, h0 * I(sh) - p_h, (w0 * I(sw) - p_w) * I(channels)
        for j in range(loads):
            e = t + I(j * threads)
            c, r = umod(e, I(reach)), udiv(e, I(reach))
            y, z = umod(r, I(rows)) + y0, udiv(r, I(rows)) + z0
            u = u0 + c
            inside = (u >= 0) & (u < w * I(channels)) & (y >= 0) & (y < h) & (z >= 0) & (z < d)
            at = ((np.int64(batch) * d + z) * h + y) * (w * I(channels)) + u if inside else np.int64(0)
            if values % threads == 0 or e < I(values):
                asm.copy4(begin + U(r * I(row_bytes) + c * I(4)), asm.global_address(x, at), I(4) if inside else I(0))
        source = np.int64(cuda.blockIdx.y) * I(chunks * 4) + t * I(4)
        for j in range(copies):
            if chunks % threads == 0 or t + I(j * threads) < I(chunks):
                to = begin + U(I(halo_bytes) + t * I(16) + I(j * threads * 16))
                asm.copy16(to, asm.global_address(weights, source + I(j * threads * 4)), I(16))
        asm.commit()
        for i in range(sums):
            total[i] = np.float32(0)
        y_h, y_d = umod(ty, I(height)), udiv(ty, I(height))
        a_begin = begin + U((y_d * I(sd * rows) + y_h * I(sh)) * I(row_bytes))
        b_row = begin + U(I(halo_bytes) + tx * I(16))
        asm.wait_all()
        cuda.syncthreads()

        for i_d in range(kd):
            for i_h in range(kh):
                a_row = a_begin + U(I(i_d * rows + i_h) * I(row_bytes))
                if held:
                    for n in range(reach):
                        left[n] = asm.shared1(a_row + U(n * 4))
                for j in range(run):
                    if not held:
                        for i in range(TALL):
                            left[i] = asm.shared1(a_row + U((i * pace + j) * 4))
                    multiply(total, left, j if held else 0, b_row + U(j * FILTERS * 4))
                b_row += U(run * FILTERS * 4)

        cuda.syncthreads()
        z, y = d0 + y_d, h0 + y_h
        row = (np.int64(batch) * o_d + z) * o_h + y
        valid = (z < o_d) & (y < o_h)
        mine, first, part = begin + U(t * I(16)), column + tx * I(4), np.int64(0)
        finish(
            out, residuals, bias, total, mine, row, w0, o_w, valid, first, filters, pitch, part, fours, alpha, beta
        )  # fmt: skip

    return conv_stem
