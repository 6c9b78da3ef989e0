"""Blocks of voxels and filters whose threads have 8 voxels of a row each: where they lie, and how they are written."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.epilogue import writer
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.door import device

TALL, WIDE = 8, 8  # voxels and filters of a thread
I, U = np.int32, np.uint32  # noqa: E741


def locating(depth: int, height: int, width: int):
    """Returns the device function that says where a block of so many voxels begins."""

    @device
    def locate(block, tiles_d, tiles_h, tiles_w):
        """``(batch, depth, height, width)``."""
        w0, rest = umod(block, tiles_w) * I(width), udiv(block, tiles_w)
        h0, rest = umod(rest, tiles_h) * I(height), udiv(rest, tiles_h)
        d0, batch = umod(rest, tiles_d) * I(depth), udiv(rest, tiles_d)
        return batch, d0, h0, w0

    return locate


def writing(across: int, threads: int, code: int):
    """Returns the device function that finishes and writes the sums of a thread.

    Args:
        across: Threads along the filters, whose fours alternate.
        threads: Of a block.
        code: Number of the activation.
    """
    quads = WIDE // 4
    write = writer(code)

    @device
    def finish(
        out, residuals, bias, total, mine, row, w0, o_w, valid, column, filters, pitch, part, fours, alpha, beta
    ):  # fmt: skip
        """``mine`` in shared memory is free; ``row`` is the number of the row of results, if it is a ``valid`` one."""
        for i in range(TALL):
            for j in range(quads):
                k = i * WIDE + j * 4
                to = mine + U((i * quads + j) * threads * 16)
                asm.store_shared4(to, total[k], total[k + 1], total[k + 2], total[k + 3])
        for quad in range(TALL * quads):
            u = w0 + udiv(I(quad), I(quads))
            f = column + umod(I(quad), I(quads)) * I(across * 4)
            if valid & (u < o_w) & (f < filters):
                to = (row * o_w + u) * pitch + (part + f)
                v0, v1, v2, v3 = asm.shared4(mine + U(I(quad) * I(threads * 16)))
                b = asm.global_address(bias, f)
                write(out, residuals, to, filters - f, fours, v0, v1, v2, v3, b, alpha, beta)

    return finish
