"""Tiles in float32: a thread has some rows times some columns, and multiplies four positions of the sum at a time.

Weights lie as ``(group, position of the sum, filter)``. For 128 by 64, a thread with 8 by 8: 512 multiply-adds of 592
instructions.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.float32_products import float32_products
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.device.tile_parts import DEPTH, TileParts
from nb3d.kernels.cuda.door import cuda, device

I, U = np.int32, np.uint32  # noqa: E741


def float32_parts(rows: int, columns: int, tall: int, wide: int) -> TileParts:
    """Returns the parts; ``tall`` and ``wide`` are the rows and columns of a thread."""
    across, down = columns // wide, rows // tall
    threads, held, quads = across * down, tall * 4, wide // 4
    multiply = float32_products(tall, wide, 4, across * 16)

    @device
    def origin(group, step, column, steps, padded):
        return (np.int64(group) * steps + step) * I(DEPTH) * padded + column

    @device
    def pace(padded):
        return I(DEPTH) * padded

    @device
    def piece(chunk, steps, padded):
        k, n = udiv(chunk, I(columns // 4)), umod(chunk, I(columns // 4)) * I(4)
        return np.int64(k) * padded + n, U(chunk * I(16))

    @device
    def begin(t):
        r, c = udiv(t, I(across)), umod(t, I(across))
        return U(r * I(DEPTH * 4)), U(c * I(16)), (r >> I(1)) & I(3)

    @device
    def step(total, a_at, b_at, twist):
        left = cuda.local.array(held, "float32")
        for chunk in range(DEPTH // 4):
            for i in range(tall):
                at = a_at + U(i * down * DEPTH * 4) + U((I(chunk ^ (i * down >> 1 & 3)) ^ twist) * I(16))
                v0, v1, v2, v3 = asm.shared4(at)
                left[i * 4], left[i * 4 + 1], left[i * 4 + 2], left[i * 4 + 3] = v0, v1, v2, v3
            for k in range(4):
                multiply(total, left, k, b_at + U((chunk * 4 + k) * columns * 4))

    @device
    def spill(total, mine):
        for i in range(tall):
            for j in range(quads):
                k = i * wide + j * 4
                to = mine + U((i * quads + j) * threads * 16)
                asm.store_shared4(to, total[k], total[k + 1], total[k + 2], total[k + 3])

    @device
    def place(t, four):
        i, j = udiv(four, I(quads)), umod(four, I(quads))
        return udiv(t, I(across)) + i * I(down), umod(t, I(across)) * I(4) + j * I(across * 4)

    return TileParts(
        threads, tall * wide, DEPTH * columns * 4, origin, pace, piece, begin, step, spill, place
    )  # fmt: skip
