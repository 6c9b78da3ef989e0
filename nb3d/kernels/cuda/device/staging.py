"""What the convolutions with a halo keep in shared memory: voxels of the tile and around it, weights of a row of taps.

Both come by asynchronous copies of 16 bytes, which the threads of a block share among them.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.door import device

VECTORS = 4  # of four channels: what a voxel has in shared memory
I, U = np.int32, np.uint32  # noqa: E741


def staging(threads: int, halo: tuple[int, int, int], voxel: int, row_bytes: int, stage_bytes: int):
    """Returns two device functions: one that fills the halo, and one that fetches a stage of weights.

    Args:
        threads: Of a block.
        halo: Voxels of the tile and around it, along depth, height and width.
        voxel: Bytes of a voxel in shared memory.
        row_bytes: Bytes of a row of voxels in shared memory.
        stage_bytes: Bytes of the weights of a row of taps.
    """
    halo_d, halo_h, halo_w = halo
    plane_bytes, loads, chunks = halo_h * row_bytes, halo_d * halo_h * halo_w * VECTORS, stage_bytes // 16
    rounds, copies = -(-loads // threads), -(-chunks // threads)

    @device
    def fill(begin, x, t, batch, z0, y0, u0, d, h, w, channels, first):
        """Channels from ``first`` on of the voxels from ``(z0, y0, u0)`` on; zeros where there are none."""
        for j in range(rounds):
            e = t + I(j * threads)
            c, v = umod(e, I(VECTORS)), udiv(e, I(VECTORS))
            h_x, r = umod(v, I(halo_w)), udiv(v, I(halo_w))
            h_y, h_z = umod(r, I(halo_h)), udiv(r, I(halo_h))
            u, y, z = h_x + u0, h_y + y0, h_z + z0
            k = first + c * I(4)
            inside = (u >= 0) & (u < w) & (y >= 0) & (y < h) & (z >= 0) & (z < d) & (k < channels)
            at = (((np.int64(batch) * d + z) * h + y) * w + u) * channels + k if inside else np.int64(0)
            if loads % threads == 0 or e < I(loads):
                to = begin + U(h_z * I(plane_bytes) + h_y * I(row_bytes) + h_x * I(voxel) + c * I(16))
                asm.copy16(to, asm.global_address(x, at), I(16) if inside else I(0))

    @device
    def fetch(to, weights, source, t):
        """A stage of weights, from word ``source`` on, to where ``to`` says for this thread."""
        for j in range(copies):
            if chunks % threads == 0 or t + I(j * threads) < I(chunks):
                asm.copy16(to + U(j * threads * 16), asm.global_address(weights, source + I(j * threads * 4)), I(16))

    return fill, fetch
