"""Convolution of stride 1 on tensor cores: the halo tile of ``conv_halo.py`` under matrix instructions.

A block makes 4 x 8 x 8 voxels times 32 filters with 4 warps: a warp has a plane of 64 voxels, 4 x 4 products of 16 by 8
in 64 registers. Tensors are float32; 16 channels are resident. What the products see:

* ``tf32``: values rounded to 10 bits of mantissa. ``ldmatrix`` brings four rows of four channels at once.
* ``tf32x3``: a value as the sum of two of those, and three products: as accurate as float32.
* ``bf16``: values rounded to 7 bits, two in a word; the rounding happens here, for tensors stay float32.

Weights are packed in the order of fragments, so a lane reads 16 bytes for two products; their columns are permuted so
that a lane ends up with 4 filters that follow each other. A voxel takes 80 bytes in shared memory (96 for ``bf16``),
which keeps reads free of conflicts.

Shared memory for 3x3x3: 60 KB, 72 for ``tf32x3``, 64 for ``bf16``. Unmeasured: no GPU has run it. The layouts of
fragments are the PTX manual's.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.epilogue import writer
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.device.staging import VECTORS, staging
from nb3d.kernels.cuda.door import cuda

DEPTH, HEIGHT, WIDTH, FILTERS, CHANNELS = 4, 8, 8, 32, 4 * VECTORS
THREADS = 32 * DEPTH
PRODUCTS, QUADS = 4, FILTERS // 16  # of 16 voxels; of 16 filters
I, U = np.int32, np.uint32  # noqa: E741


def build(kind: str, kd: int, kh: int, kw: int, voxel: int, code: int):
    """Returns the kernel.

    Args:
        kind: ``tf32``, ``tf32x3`` or ``bf16``.
        kd: Taps along the first axis.
        kh: Taps along the second axis.
        kw: Taps along the third axis.
        voxel: Bytes of a voxel in shared memory.
        code: Number of the activation.
    """
    halves, split = kind == "bf16", kind == "tf32x3"
    halo_d, halo_h, halo_w = DEPTH + kd - 1, HEIGHT + kh - 1, WIDTH + kw - 1
    row_bytes = halo_w * voxel
    plane_bytes = halo_h * row_bytes
    halo_bytes = halo_d * plane_bytes
    steps = 1 if halves else 2  # matrix instructions along the channels
    pieces = 2 if split else 1
    tap_bytes = steps * pieces * QUADS * 512
    stage_bytes, stage_words = kw * tap_bytes, kw * tap_bytes // 4
    stages = kd * kh
    parts, words = PRODUCTS * QUADS * 8, PRODUCTS * 4
    write = writer(code)
    fill, fetch = staging(THREADS, (halo_d, halo_h, halo_w), voxel, row_bytes, stage_bytes)

    def conv_mma(
        x, weights, bias, residuals, out, d, h, w, channels, o_d, o_h, o_w, p_d, p_h, p_w, filters, pitch, chunks,
        tiles_d, tiles_h, tiles_w, fours, alpha, beta,
    ):  # fmt: skip
        begin = asm.shared_address(cuda.shared.array(0, "float32"))
        total = cuda.local.array(parts, "float32")
        a = cuda.local.array(words, "uint32")
        low = cuda.local.array(words, "uint32")
        safe = cuda.local.array(words, "uint32")
        t = I(cuda.threadIdx.x)
        lane, warp = t & I(31), t >> I(5)
        block = I(cuda.blockIdx.x)
        w0, rest = umod(block, tiles_w) * I(WIDTH), udiv(block, tiles_w)
        h0, rest = umod(rest, tiles_h) * I(HEIGHT), udiv(rest, tiles_h)
        d0, batch = umod(rest, tiles_d) * I(DEPTH), udiv(rest, tiles_d)
        column = I(cuda.blockIdx.y) * I(FILTERS)
        for i in range(parts):
            total[i] = np.float32(0)
        if halves:  # row and pair of channels of a lane's part
            a_begin = begin + U(warp * I(plane_bytes) + (lane >> I(2)) * I(voxel) + (lane & I(3)) * I(8))
        else:  # row of a matrix whose address the lane gives
            row = lane & I(15)
            a_begin = begin + U(
                warp * I(plane_bytes) + (row >> I(3)) * I(row_bytes) + (row & I(7)) * I(voxel) + (lane >> I(4)) * I(16)
            )
        b_begin = begin + U(I(halo_bytes) + lane * I(16))
        b_to = begin + U(I(halo_bytes) + t * I(16))
        source = np.int64(cuda.blockIdx.y) * chunks * I(stages * stage_words) + t * I(4)

        for chunk in range(chunks):
            first = I(chunk) * I(CHANNELS)
            fill(begin, x, t, batch, d0 - p_d, h0 - p_h, w0 - p_w, d, h, w, channels, first)
            fetch(b_to, weights, source, t)
            asm.commit()
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
                        for i in range(PRODUCTS):
                            at = a_row + U(2 * i * row_bytes + tap * voxel + step * 32)
                            if halves:
                                a[i * 4] = asm.shared_bf16(at)
                                a[i * 4 + 1] = asm.shared_bf16(at + U(row_bytes))
                                a[i * 4 + 2] = asm.shared_bf16(at + U(32))
                                a[i * 4 + 3] = asm.shared_bf16(at + U(row_bytes + 32))
                            else:
                                a0, a1, a2, a3 = asm.matrices(at)
                                a[i * 4], a[i * 4 + 1] = asm.to_tf32(a0), asm.to_tf32(a1)
                                a[i * 4 + 2], a[i * 4 + 3] = asm.to_tf32(a2), asm.to_tf32(a3)
                                if split:
                                    low[i * 4], safe[i * 4] = asm.rest_tf32(a0, a[i * 4])
                                    low[i * 4 + 1], safe[i * 4 + 1] = asm.rest_tf32(a1, a[i * 4 + 1])
                                    low[i * 4 + 2], safe[i * 4 + 2] = asm.rest_tf32(a2, a[i * 4 + 2])
                                    low[i * 4 + 3], safe[i * 4 + 3] = asm.rest_tf32(a3, a[i * 4 + 3])
                        for q in range(QUADS):
                            at = b_row + U(tap * tap_bytes + (step * pieces * QUADS + q) * 512)
                            b0, b1, b2, b3 = asm.shared4_words(at)
                            if split:
                                l0, l1, l2, l3 = asm.shared4_words(at + U(QUADS * 512))
                            for i in range(PRODUCTS):
                                k = (i * QUADS + q) * 8
                                c0, c1, c2, c3 = total[k], total[k + 1], total[k + 2], total[k + 3]
                                e0, e1, e2, e3 = total[k + 4], total[k + 5], total[k + 6], total[k + 7]
                                a0, a1, a2, a3 = a[i * 4], a[i * 4 + 1], a[i * 4 + 2], a[i * 4 + 3]
                                if halves:
                                    c0, c1, c2, c3 = asm.product_bf16(a0, a1, a2, a3, b0, b1, c0, c1, c2, c3)
                                    e0, e1, e2, e3 = asm.product_bf16(a0, a1, a2, a3, b2, b3, e0, e1, e2, e3)
                                else:
                                    if split:
                                        r0, r1, r2, r3 = low[i * 4], low[i * 4 + 1], low[i * 4 + 2], low[i * 4 + 3]
                                        c0, c1, c2, c3 = asm.product_tf32(r0, r1, r2, r3, b0, b1, c0, c1, c2, c3)
                                        e0, e1, e2, e3 = asm.product_tf32(r0, r1, r2, r3, b2, b3, e0, e1, e2, e3)
                                        r0, r1, r2, r3 = safe[i * 4], safe[i * 4 + 1], safe[i * 4 + 2], safe[i * 4 + 3]
                                        c0, c1, c2, c3 = asm.product_tf32(r0, r1, r2, r3, l0, l1, c0, c1, c2, c3)
                                        e0, e1, e2, e3 = asm.product_tf32(r0, r1, r2, r3, l2, l3, e0, e1, e2, e3)
                                    c0, c1, c2, c3 = asm.product_tf32(a0, a1, a2, a3, b0, b1, c0, c1, c2, c3)
                                    e0, e1, e2, e3 = asm.product_tf32(a0, a1, a2, a3, b2, b3, e0, e1, e2, e3)
                                total[k], total[k + 1], total[k + 2], total[k + 3] = c0, c1, c2, c3
                                total[k + 4], total[k + 5], total[k + 6], total[k + 7] = e0, e1, e2, e3
                a_row += U(row_bytes)
                i_h += I(1)
                if i_h == I(kh):
                    i_h = I(0)
                    a_row += U(plane_bytes - kh * row_bytes)
                buffer ^= U(1)
            cuda.syncthreads()

        # A lane's sums: rows lane / 4 of two rows of voxels, 4 filters from 4 (lane % 4) on, for every product.
        mine = begin + U(t * I(16))
        for i in range(PRODUCTS):
            for q in range(QUADS):
                k, to = (i * QUADS + q) * 8, mine + U((i * QUADS + q) * 2 * THREADS * 16)
                asm.store_shared4(to, total[k], total[k + 1], total[k + 4], total[k + 5])
                asm.store_shared4(to + U(THREADS * 16), total[k + 2], total[k + 3], total[k + 6], total[k + 7])
        z, u = d0 + warp, w0 + (lane >> I(2))
        for quad in range(PRODUCTS * QUADS * 2):
            i, q, r = udiv(I(quad), I(QUADS * 2)), umod(I(quad) >> I(1), I(QUADS)), I(quad) & I(1)
            y, f = h0 + i * I(2) + r, column + q * I(16) + (lane & I(3)) * I(4)
            if (u < o_w) & (y < o_h) & (z < o_d) & (f < filters):
                to = (((np.int64(batch) * o_d + z) * o_h + y) * o_w + u) * pitch + f
                sums, b = mine + U(I(quad) * I(THREADS * 16)), asm.global_address(bias, f)
                write(out, residuals, to, filters - f, fours, sums, b, alpha, beta)

    return conv_mma
