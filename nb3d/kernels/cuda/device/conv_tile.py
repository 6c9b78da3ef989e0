"""Convolution as a product of matrices that are never built: rows are voxels, columns filters.

A block makes ``rows`` voxels times ``columns`` filters. The sum runs over taps and channels, 16 at a time, through
three buffers in shared memory that asynchronous copies fill. Which voxel a position of the sum looks at says a table
that the host has made: ``(offset, dz, dy, dx)`` for every vector of channels. So one kernel serves any kernel size,
stride, dilation, padding and group; voxels outside are zero-filled by the copies, and so is the end of the sum. A voxel
row of 64 bytes in shared memory is permuted in chunks of 16, which keeps reads free of conflicts. How a block
multiplies, in float32 or on tensor cores, say ``tile_float32.py`` and ``tile_tensor.py``.

The third axis of the grid counts the phases of a transposed convolution, groups, and parts of a sum, fastest last; 12
words say of every phase its results per axis, first position of the sum; first voxel per axis, end of the sum; place of
the first result per axis, results of a sample. A part of a sum begins ``whole`` values behind the one before it.

Shared memory for 128 by 64: 40 KB, 52 for ``tf32x3``. Unmeasured: no GPU has run it. Rejected: one bit per tap and
voxel instead of the table (27 taps at most, and no dilation).
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.epilogue import writer
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.device.tile_float32 import float32_parts
from nb3d.kernels.cuda.device.tile_parts import DEPTH
from nb3d.kernels.cuda.device.tile_tensor import tensor_parts
from nb3d.kernels.cuda.door import cuda

STAGES = 3
I, U = np.int32, np.uint32  # noqa: E741


def build(kind: str, rows: int, columns: int, tall: int, wide: int, vector: int, code: int):
    """Returns the kernel.

    Args:
        kind: ``float32``, ``tf32`` or ``tf32x3``.
        rows: Voxels of a block.
        columns: Filters of a block.
        tall: Voxels of a thread, on tensor cores of a warp.
        wide: Filters of a thread, on tensor cores of a warp.
        vector: Channels that are copied together: 4 or 1.
        code: Number of the activation.
    """
    exact = kind == "float32"
    tile = float32_parts(rows, columns, tall, wide) if exact else tensor_parts(kind, rows, columns, tall)
    threads, sums, b_bytes = tile.threads, tile.sums, tile.weight_bytes
    origin, pace, piece = tile.origin, tile.pace, tile.piece
    begin, add_step, spill, place = tile.begin, tile.step, tile.spill, tile.place
    entries = DEPTH // vector  # vectors of a row
    apart = threads // entries  # rows between two copies of a thread
    copies = rows // apart
    a_bytes, b_chunks = rows * DEPTH * 4, b_bytes // 16
    b_copies = -(-b_chunks // threads)
    begin_b = STAGES * a_bytes
    by_vector = vector == 4
    write = writer(code)
    ahead = STAGES - 1
    row_values, row_words = rows, rows * 4

    def conv_tile(
        x, table, phases, weights, bias, residuals, out, batch, d, h, w, channels, seen, s_d, s_h, s_w, o_d, o_h, o_w,
        u_d, u_h, u_w, pitch, made, padded, steps, groups, parts, run, whole, fours, alpha, beta,
    ):  # fmt: skip
        tiles_at = asm.shared_address(cuda.shared.array(0, "float32"))
        corner = cuda.shared.array(row_words, "int32", 16)
        source = cuda.shared.array(row_values, "int64", 8)
        target = cuda.shared.array(row_values, "int64", 8)
        total = cuda.local.array(sums, "float32")
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
        weights_at = tiles_at + U(begin_b)
        weight = asm.global_address(weights, origin(group, first_step, column, steps, padded))
        stage_bytes = np.int64(pace(padded)) * 4
        a_begin, b_begin, twist = begin(t)
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
                        words, to = piece(chunk, steps, padded)
                        at = weight + np.uint64(coming * stage_bytes + words * 4)
                        asm.copy16(weights_at + buffer * U(b_bytes) + to, at, I(16))
            asm.commit()
            if step >= 0:
                buffer = U(umod(I(step), I(STAGES)))
                a_at, b_at = tiles_at + buffer * U(a_bytes) + a_begin, weights_at + buffer * U(b_bytes) + b_begin
                add_step(total, a_at, b_at, twist)

        asm.wait_all()
        cuda.syncthreads()
        mine = tiles_at + U(t * I(16))
        spill(total, mine)
        for four in range(sums // 4):
            row, f = place(t, I(four))
            f += column
            to = target[row]
            if to >= 0 and f < made:
                v0, v1, v2, v3 = asm.shared4(mine + U(I(four) * I(threads * 16)))
                b = asm.global_address(bias, np.int64(group) * padded + f)
                write(out, residuals, to + f, made - f, fours, v0, v1, v2, v3, b, alpha, beta)

    return conv_tile
