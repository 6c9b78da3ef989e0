"""Tiles on tensor cores: a warp has some rows, in products of 16, times all columns.

Weights lie as ``(group, 16 filters, step, half of the step, piece, lane, 4)``, in the order of fragments. Values are
rounded as they are read: two instructions each, a fifth of all for 128 by 64. Rounding them in shared memory would take
another barrier in every step.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.device.tensor_products import tensor_products, tensor_sums
from nb3d.kernels.cuda.device.tile_parts import DEPTH, TileParts
from nb3d.kernels.cuda.door import device

I, U = np.int32, np.uint32  # noqa: E741
HALVES = 2  # products along the positions of a step


def tensor_parts(kind: str, rows: int, columns: int, tall: int) -> TileParts:
    """Returns the parts; ``tall`` are the rows of a warp."""
    pieces = 2 if kind == "tf32x3" else 1
    products, quads, threads = tall // 16, columns // 16, rows // tall * 32
    chunks = HALVES * pieces * 32  # of the weights of 16 filters in a step
    multiply = tensor_products(kind, products, quads, 16 * DEPTH * 4, fresh=True)
    spill = tensor_sums(products, quads, threads)

    @device
    def origin(group, step, column, steps, padded):
        return ((np.int64(group) * (padded >> I(4)) + (column >> I(4))) * steps + step) * I(chunks * 4)

    @device
    def pace(padded):
        return I(chunks * 4)

    @device
    def piece(chunk, steps, padded):
        q, rest = udiv(chunk, I(chunks)), umod(chunk, I(chunks))
        part, lane = rest >> I(5), rest & I(31)
        return np.int64(q) * steps * I(chunks * 4) + rest * I(4), U(((part * I(quads) + q) * I(32) + lane) * I(16))

    @device
    def begin(t):
        lane, warp = t & I(31), t >> I(5)
        row = lane & I(15)  # of a matrix whose address the lane gives
        return U((warp * I(tall) + row) * I(DEPTH * 4)), U(lane * I(16)), ((row >> I(1)) & I(3)) ^ (lane >> I(4))

    @device
    def step(total, a_at, b_at, twist):
        for half in range(HALVES):
            at = a_at + U((I(half * 2) ^ twist) * I(16))
            multiply(total, at, b_at + U(half * pieces * quads * 512))

    @device
    def place(t, four):
        lane, warp = t & I(31), t >> I(5)
        i, q, r = udiv(four, I(quads * 2)), umod(four >> I(1), I(quads)), four & I(1)
        return warp * I(tall) + i * I(16) + r * I(8) + (lane >> I(2)), q * I(16) + (lane & I(3)) * I(4)

    return TileParts(
        threads, products * quads * 8, chunks * quads * 16, origin, pace, piece, begin, step, spill, place
    )  # fmt: skip
