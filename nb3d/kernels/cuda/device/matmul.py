"""Products of matrices that are both computed, as attention has them: ``activation(a @ b + bias)``, batch by batch.

A block makes 64 by 64 values, a thread 4 by 4 of them in registers, 16 apart: a warp then reads one value of ``a`` and
16 neighbours of ``b`` from shared memory, and writes whole lines. The sum runs in its order, 16 terms at a time, zeros
behind its end. Batches are broadcast by strides. Shared memory: 8 KB in ``float32``. Next: asynchronous copies of
vectors, as ``conv_tile.py`` has them, where sizes are multiples of four.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device.operations import activation
from nb3d.kernels.cuda.door import cuda

SIDE, DEPTH, THREADS, EACH = 64, 16, 256, 4
I = np.int32  # noqa: E741


def build(dtype: str, bias: bool, code: int):
    """Returns the kernel; ``code`` is the number of the activation."""
    kind, finish = np.dtype(dtype).type, activation(code)
    apart, loads, parts = SIDE // EACH, SIDE * DEPTH // THREADS, EACH * EACH
    pitch = SIDE + 1
    room = DEPTH * pitch

    def matmul(a, b, biases, out, rows, depth, columns, down, across, n0, n1, n2, a0, a1, a2, b0, b1, b2, alpha, beta):
        left, right = cuda.shared.array(room, dtype), cuda.shared.array(room, dtype)
        total = cuda.local.array(parts, dtype)
        t = I(cuda.threadIdx.x)
        which, tile = cuda.blockIdx.x // (down * across), cuda.blockIdx.x % (down * across)
        row0, column0 = tile // across * SIDE, tile % across * SIDE
        i2, rest = which % n2, which // n2
        i1, i0 = rest % n1, rest // n1
        at_a, at_b = i0 * a0 + i1 * a1 + i2 * a2, i0 * b0 + i1 * b1 + i2 * b2
        y, x = t // I(apart), t % I(apart)
        for i in range(parts):
            total[i] = kind(0)
        for begin in range(0, depth, DEPTH):
            for j in range(loads):
                e = t + I(j * THREADS)
                k, m = e % I(DEPTH), e // I(DEPTH)
                inside = (row0 + m < rows) & (begin + k < depth)
                left[k * I(pitch) + m] = a[at_a + (row0 + m) * depth + begin + k] if inside else kind(0)
                n, k = e % I(SIDE), e // I(SIDE)
                inside = (column0 + n < columns) & (begin + k < depth)
                right[k * I(pitch) + n] = b[at_b + (begin + k) * columns + column0 + n] if inside else kind(0)
            cuda.syncthreads()
            for k in range(DEPTH):
                for i in range(EACH):
                    value = left[I(k) * I(pitch) + y + I(i * apart)]
                    for j in range(EACH):
                        total[i * EACH + j] += value * right[I(k) * I(pitch) + x + I(j * apart)]
            cuda.syncthreads()
        for i in range(EACH):
            for j in range(EACH):
                row, column = row0 + y + i * apart, column0 + x + j * apart
                if (row < rows) & (column < columns):
                    value = total[i * EACH + j]
                    value = value + biases[column] if bias else value
                    out[(which * rows + row) * columns + column] = finish(value, alpha, beta)

    return matmul
