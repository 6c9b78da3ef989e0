"""Convolution of stride 1 on tensor cores: the halo tile of ``conv_halo.py`` under matrix instructions.

A block makes 4 x 8 x 8 voxels times 32 or 64 filters with 4 warps: a warp has a plane of 64 voxels, 4 x 4 or 4 x 8
products of 16 by 8 in 64 or 128 registers. Tensors are float32; 16 channels are resident. What the products see:

* ``tf32``: values rounded to 10 bits of mantissa.
* ``tf32x3``: a value as the sum of two of those, and three products: as accurate as float32.
* ``bf16``: values rounded to 7 bits, two in a word.

Values are rounded once, in shared memory, and ``ldmatrix`` brings them in the order of the products; those of
``tf32x3`` are split by every reader, for both halves would not fit. Weights are packed in the order of fragments, so a
lane reads 16 bytes for two products; their columns are permuted so that a lane ends up with 4 filters that follow each
other. The third axis of the grid counts the parts of a divided sum: ``run`` chunks each.

Shared memory for 3x3x3 and 32 filters: 59 KB, 71 for ``tf32x3``, 53 for ``bf16``; for 64 filters 71, 95 and 64.
Shared memory is what limits 32 filters, to two thirds of the tensor cores' speed; 64 filters read a voxel half as
often. Unmeasured: no GPU has run it. The layouts of fragments are the PTX manual's. Rejected: rounding in the inner
loop, 32 conversions beside 16 products.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.blocks import locating
from nb3d.kernels.cuda.device.epilogue import writer
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.device.staging import VECTORS, VOXEL, rounding, staging
from nb3d.kernels.cuda.device.tensor_products import tensor_products, tensor_sums
from nb3d.kernels.cuda.door import cuda

DEPTH, HEIGHT, WIDTH, CHANNELS = 4, 8, 8, 4 * VECTORS
THREADS = 32 * DEPTH
PRODUCTS = 4  # of 16 voxels
I, U = np.int32, np.uint32  # noqa: E741


def build(kind: str, filters: int, kd: int, kh: int, kw: int, code: int):
    """Returns the kernel.

    Args:
        kind: ``tf32``, ``tf32x3`` or ``bf16``.
        filters: Of a block: 32 or 64.
        kd: Taps along the first axis.
        kh: Taps along the second axis.
        kw: Taps along the third axis.
        code: Number of the activation.
    """
    halves, split = kind == "bf16", kind == "tf32x3"
    halo_d, halo_h, halo_w = DEPTH + kd - 1, HEIGHT + kh - 1, WIDTH + kw - 1
    row_bytes = halo_w * VOXEL
    plane_bytes = halo_h * row_bytes
    halo_bytes = halo_d * plane_bytes
    steps = 1 if halves else 2  # matrix instructions along the channels
    pieces = 2 if split else 1
    quads = filters // 16
    tap_bytes = steps * pieces * quads * 512
    stage_bytes, stage_words = kw * tap_bytes, kw * tap_bytes // 4
    stages = kd * kh
    sums = PRODUCTS * quads * 8
    write, locate = writer(code), locating(DEPTH, HEIGHT, WIDTH)
    halo, columns = (halo_d, halo_h, halo_w), filters
    fill, fetch = staging(THREADS, halo, row_bytes, stage_bytes)
    multiply = tensor_products(kind, PRODUCTS, quads, 2 * row_bytes, fresh=False)
    spill = tensor_sums(PRODUCTS, quads, THREADS)
    settle = rounding(kind, THREADS, halo, row_bytes)
    second = 32 if halves else 16  # bytes from the first half of a step's channels to the second

    def conv_mma(
        x, weights, bias, residuals, out, d, h, w, channels, o_d, o_h, o_w, p_d, p_h, p_w, filters, pitch, chunks,
        tiles_d, tiles_h, tiles_w, run, whole, fours, alpha, beta,
    ):  # fmt: skip
        begin = asm.shared_address(cuda.shared.array(0, "float32", 16))
        total = cuda.local.array(sums, "float32")
        t = I(cuda.threadIdx.x)
        lane, warp = t & I(31), t >> I(5)
        block = I(cuda.blockIdx.x)
        batch, d0, h0, w0 = locate(block, tiles_d, tiles_h, tiles_w)
        column = I(cuda.blockIdx.y) * I(columns)
        for i in range(sums):
            total[i] = np.float32(0)
        row = lane & I(15)  # of a matrix whose address the lane gives
        a_begin = begin + U(
            warp * I(plane_bytes) + (row >> I(3)) * I(row_bytes) + (row & I(7)) * I(VOXEL) + (lane >> I(4)) * I(second)
        )
        b_begin = begin + U(I(halo_bytes) + lane * I(16))
        b_to = begin + U(I(halo_bytes) + t * I(16))
        begin_chunk = I(cuda.blockIdx.z) * run
        source = (np.int64(cuda.blockIdx.y) * chunks + begin_chunk) * I(stages * stage_words) + t * I(4)
        part = np.int64(cuda.blockIdx.z) * whole

        for chunk in range(begin_chunk, min(begin_chunk + run, chunks)):
            first = I(chunk) * I(CHANNELS)
            fill(begin, x, t, batch, d0 - p_d, h0 - p_h, w0 - p_w, d, h, w, channels, first)
            fetch(b_to, weights, source, t)
            asm.commit()
            if not split:
                asm.wait_all()
                if halves:  # a thread rounds what several have copied
                    cuda.syncthreads()
                settle(begin, t)
            buffer, a_row, i_h = U(0), a_begin, I(0)
            for stage in range(stages):
                asm.wait_all()
                cuda.syncthreads()
                source += I(stage_words)
                if stage + 1 < stages:
                    fetch(b_to + (buffer ^ U(1)) * U(stage_bytes), weights, source, t)
                asm.commit()
                b_row = b_begin + buffer * U(stage_bytes)
                for tap in range(kw):
                    for step in range(steps):
                        at = b_row + U(tap * tap_bytes + step * pieces * quads * 512)
                        multiply(total, a_row + U(tap * VOXEL + step * 32), at)
                a_row += U(row_bytes)
                i_h += I(1)
                if i_h == I(kh):
                    i_h = I(0)
                    a_row += U(plane_bytes - kh * row_bytes)
                buffer ^= U(1)
            cuda.syncthreads()

        mine = begin + U(t * I(16))
        spill(total, mine)
        z, u = d0 + warp, w0 + (lane >> I(2))
        for quad in range(PRODUCTS * quads * 2):
            i, q, r = udiv(I(quad), I(quads * 2)), umod(I(quad) >> I(1), I(quads)), I(quad) & I(1)
            y, f = h0 + i * I(2) + r, column + q * I(16) + (lane & I(3)) * I(4)
            if (u < o_w) & (y < o_h) & (z < o_d) & (f < filters):
                to = (((np.int64(batch) * o_d + z) * o_h + y) * o_w + u) * pitch + (part + f)
                v0, v1, v2, v3 = asm.shared4(mine + U(I(quad) * I(THREADS * 16)))
                offset = asm.global_address(bias, f)
                write(out, residuals, to, filters - f, fours, v0, v1, v2, v3, offset, alpha, beta)

    return conv_mma
