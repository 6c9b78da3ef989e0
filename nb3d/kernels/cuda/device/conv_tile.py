"""Convolution in float32 as a product of matrices that are never built: rows are voxels, columns filters.

A block makes ``rows`` voxels times ``columns`` filters, a thread 8 (or 4) by 8 (or 4) of them in registers. The sum
runs over taps and channels, 16 at a time, through three buffers in shared memory that asynchronous copies fill. Which
voxel a position of the sum looks at says a table that the host has made: ``(offset, dz, dy, dx)`` for every vector of
channels. So one kernel serves any kernel size, stride, dilation, padding and group; voxels outside are zero-filled by
the copies, and so is the end of the sum. A voxel row of 64 bytes in shared memory is permuted in chunks of 16, which
keeps reads free of conflicts.

The third axis of the grid counts the phases of a transposed convolution, groups, and parts of a sum, fastest last; 12
words say of every phase its results per axis, first position of the sum; first voxel per axis, end of the sum; place of
the first result per axis, results of a sample. A part of a sum begins ``whole`` values behind the one before it.

Shared memory: 40 KB for 128 by 64. Inner loop for 128 by 64: 512 multiply-adds of 592 instructions. Unmeasured: no GPU
has run it. Rejected: one bit per tap and voxel instead of the table (27 taps at most, and no dilation).
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.epilogue import writer
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.door import cuda

DEPTH = 16  # positions of the sum in one step
STAGES = 3
I, U = np.int32, np.uint32  # noqa: E741


def build(rows: int, columns: int, tall: int, wide: int, vector: int, code: int):
    """Returns the kernel.

    Args:
        rows: Voxels of a block.
        columns: Filters of a block.
        tall: Voxels of a thread.
        wide: Filters of a thread.
        vector: Channels that are copied together: 4 or 1.
        code: Number of the activation.
    """
    across, down = columns // wide, rows // tall
    threads = across * down
    entries = DEPTH // vector  # vectors of a row
    apart = threads // entries  # rows between two copies of a thread
    copies = rows // apart
    a_bytes, b_bytes = rows * DEPTH * 4, DEPTH * columns * 4
    b_chunks = DEPTH * columns // 4
    b_copies = -(-b_chunks // threads)
    floats, begin_b = STAGES * (a_bytes + b_bytes) // 4, STAGES * a_bytes
    quads, sums = wide // 4, tall * wide
    held = tall * 4
    by_vector = vector == 4
    write = writer(code)
    ahead = STAGES - 1
    row_values, row_words = rows, rows * 4

    def conv_tile(
        x, table, phases, weights, bias, residuals, out, batch, d, h, w, channels, seen, s_d, s_h, s_w, o_d, o_h, o_w,
        u_d, u_h, u_w, pitch, made, padded, steps, groups, parts, run, whole, fours, alpha, beta,
    ):  # fmt: skip
        tiles = cuda.shared.array(floats, "float32", 16)
        corner = cuda.shared.array(row_words, "int32", 16)
        source = cuda.shared.array(row_values, "int64", 8)
        target = cuda.shared.array(row_values, "int64", 8)
        total = cuda.local.array(sums, "float32")
        left = cuda.local.array(held, "float32")
        t = I(cuda.threadIdx.x)
        part, rest = umod(I(cuda.blockIdx.z), parts), udiv(I(cuda.blockIdx.z), parts)
        group, phase = umod(rest, groups), udiv(rest, groups)
        n_d, n_h, n_w, first_step = asm.load4_words(asm.global_address(phases, phase * I(12)))
        b_d, b_h, b_w, last_step = asm.load4_words(asm.global_address(phases, phase * I(12) + I(4)))
        a_d, a_h, a_w, voxels = asm.load4_words(asm.global_address(phases, phase * I(12) + I(8)))
        voxels *= batch
        first_step += part * run
        count = min(last_step - first_step, run)
        first = I(cuda.blockIdx.x) * I(rows)
        if first >= voxels:
            return
        column = I(cuda.blockIdx.y) * I(columns)
        for row in range(t, rows, threads):
            m = first + I(row)
            inside = m < voxels
            m = m if inside else I(0)
            i_w, rest = umod(m, n_w), udiv(m, n_w)
            i_h, rest = umod(rest, n_h), udiv(rest, n_h)
            i_d, batch = umod(rest, n_d), udiv(rest, n_d)
            z, y, u = i_d * s_d + b_d, i_h * s_h + b_h, i_w * s_w + b_w
            corner[row * 4] = z if inside else I(-(1 << 24))
            corner[row * 4 + 1] = y
            corner[row * 4 + 2] = u
            source[row] = (((np.int64(batch) * d + z) * h + y) * w + u) * channels + group * seen
            where = ((np.int64(batch) * o_d + (i_d * u_d + a_d)) * o_h + (i_h * u_h + a_h)) * o_w + (i_w * u_w + a_w)
            target[row] = where * pitch + (group * made + part * whole) if inside else np.int64(-1)
        cuda.syncthreads()
        tiles_at = asm.shared_address(tiles)
        weights_at = tiles_at + U(begin_b)
        weight = asm.global_address(weights, (np.int64(group) * steps + first_step) * I(DEPTH) * padded + column)
        entry_at = asm.global_address(table, (first_step * I(entries) + umod(t, I(entries))) * I(4))
        entry = umod(t, I(entries))
        row0 = udiv(t, I(entries))
        for i in range(sums):
            total[i] = np.float32(0)

        for step in range(-ahead, count):
            if step >= 0:
                asm.wait_but_one()
                cuda.syncthreads()
            coming = I(step) + I(ahead)
            if coming < count:
                buffer = U(umod(coming, I(STAGES)))
                offset, dz, dy, dx = asm.load4_words(entry_at + np.uint64(coming * I(entries * 16)))
                for i in range(copies):
                    row = row0 + I(i * apart)
                    z, y, u = corner[row * 4] + dz, corner[row * 4 + 1] + dy, corner[row * 4 + 2] + dx
                    seen_there = (z >= 0) & (z < d) & (y >= 0) & (y < h) & (u >= 0) & (u < w)
                    at = source[row] + offset if seen_there else np.int64(0)
                    chunk = entry if by_vector else entry >> I(2)
                    chunk = chunk ^ ((row >> I(1)) & I(3))
                    to = tiles_at + buffer * U(a_bytes) + U(row * I(DEPTH * 4) + chunk * I(16))
                    if by_vector:
                        asm.copy16(to, asm.global_address(x, at), I(16) if seen_there else I(0))
                    else:
                        to += U((entry & I(3)) * I(4))
                        asm.copy4(to, asm.global_address(x, at), I(4) if seen_there else I(0))
                for i in range(b_copies):
                    chunk = t + I(i * threads)
                    if b_chunks % threads == 0 or chunk < I(b_chunks):
                        k, n = udiv(chunk, I(columns // 4)), umod(chunk, I(columns // 4)) * I(4)
                        line = np.int64(coming * I(DEPTH) + k) * padded + n
                        to = weights_at + buffer * U(b_bytes) + U(chunk * I(16))
                        asm.copy16(to, weight + np.uint64(line * 4), I(16))
            asm.commit()
            if step >= 0:
                buffer = U(umod(I(step), I(STAGES)))
                r, c = udiv(t, I(across)), umod(t, I(across))
                a_at = tiles_at + buffer * U(a_bytes) + U(r * I(DEPTH * 4))
                b_at = weights_at + buffer * U(b_bytes) + U(c * I(16))
                twist = (r >> I(1)) & I(3)
                for chunk in range(DEPTH // 4):
                    for i in range(tall):
                        v0, v1, v2, v3 = asm.shared4(
                            a_at + U(i * down * DEPTH * 4) + U((I(chunk ^ (i * down >> 1 & 3)) ^ twist) * I(16))
                        )
                        left[i * 4], left[i * 4 + 1], left[i * 4 + 2], left[i * 4 + 3] = v0, v1, v2, v3
                    for k in range(4):
                        for j in range(quads):
                            w0, w1, w2, w3 = asm.shared4(b_at + U((chunk * 4 + k) * columns * 4 + j * across * 16))
                            for i in range(tall):
                                value = left[i * 4 + k]
                                total[i * wide + j * 4] += value * w0
                                total[i * wide + j * 4 + 1] += value * w1
                                total[i * wide + j * 4 + 2] += value * w2
                                total[i * wide + j * 4 + 3] += value * w3

        asm.wait_all()
        cuda.syncthreads()
        r, c = udiv(t, I(across)), umod(t, I(across))
        mine = tiles_at + U(t * I(16))
        for i in range(tall):
            for j in range(quads):
                k = i * wide + j * 4
                to = mine + U((i * quads + j) * threads * 16)
                asm.store_shared4(to, total[k], total[k + 1], total[k + 2], total[k + 3])
        for quad in range(tall * quads):
            i, j = udiv(I(quad), I(quads)), umod(I(quad), I(quads))
            f = column + c * I(4) + j * I(across * 4)
            to = target[r + i * I(down)]
            if to >= 0 and f < made:
                v0, v1, v2, v3 = asm.shared4(mine + U(I(quad) * I(threads * 16)))
                b = asm.global_address(bias, np.int64(group) * padded + f)
                write(out, residuals, to + f, made - f, fours, v0, v1, v2, v3, b, alpha, beta)

    return conv_tile
