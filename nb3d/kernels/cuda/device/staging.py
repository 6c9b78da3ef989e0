"""What the convolutions with a halo keep in shared memory: voxels of the tile and around it, weights of a row of taps.

Both come by asynchronous copies of 16 bytes, which the threads of a block share among them. For tensor cores the
values of the halo are rounded once, where they lie: a value is multiplied under every tap, and rounding it each time
would cost more instructions than the products.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.door import device

VECTORS = 4  # of four channels: what a voxel has in shared memory
VOXEL = VECTORS * 16 + 16  # bytes of a voxel in shared memory, which keep reads of eight neighbours free of conflicts
I, U = np.int32, np.uint32  # noqa: E741


def locating(halo: tuple[int, int, int], row_bytes: int, each: int):
    """Returns the device function that says where one of ``each`` pieces of every voxel of the halo lies."""
    _, halo_h, halo_w = halo
    plane_bytes, apart = halo_h * row_bytes, VECTORS * 16 // each

    @device
    def locate(e):
        """``(depth, height, width, piece)``, and the bytes from the beginning."""
        c, v = umod(e, I(each)), udiv(e, I(each))
        h_x, r = umod(v, I(halo_w)), udiv(v, I(halo_w))
        h_y, h_z = umod(r, I(halo_h)), udiv(r, I(halo_h))
        return h_z, h_y, h_x, c, U(h_z * I(plane_bytes) + h_y * I(row_bytes) + h_x * I(VOXEL) + c * I(apart))

    return locate


def staging(threads: int, halo: tuple[int, int, int], row_bytes: int, stage_bytes: int):
    """Returns two device functions: one that fills the halo, and one that fetches a stage of weights.

    Args:
        threads: Of a block.
        halo: Voxels of the tile and around it, along depth, height and width.
        row_bytes: Bytes of a row of voxels in shared memory.
        stage_bytes: Bytes of the weights of a row of taps.
    """
    halo_d, halo_h, halo_w = halo
    loads, chunks = halo_d * halo_h * halo_w * VECTORS, stage_bytes // 16
    rounds, copies = -(-loads // threads), -(-chunks // threads)
    locate = locating(halo, row_bytes, VECTORS)

    @device
    def fill(begin, x, t, batch, z0, y0, u0, d, h, w, channels, first):
        """Channels from ``first`` on of the voxels from ``(z0, y0, u0)`` on; zeros where there are none."""
        for j in range(rounds):
            e = t + I(j * threads)
            h_z, h_y, h_x, c, offset = locate(e)
            u, y, z = h_x + u0, h_y + y0, h_z + z0
            k = first + c * I(4)
            inside = (u >= 0) & (u < w) & (y >= 0) & (y < h) & (z >= 0) & (z < d) & (k < channels)
            at = (((np.int64(batch) * d + z) * h + y) * w + u) * channels + k if inside else np.int64(0)
            if loads % threads == 0 or e < I(loads):
                asm.copy16(begin + offset, asm.global_address(x, at), I(16) if inside else I(0))

    @device
    def fetch(to, weights, source, t):
        """A stage of weights, from word ``source`` on, to where ``to`` says for this thread."""
        for j in range(copies):
            if chunks % threads == 0 or t + I(j * threads) < I(chunks):
                asm.copy16(to + U(j * threads * 16), asm.global_address(weights, source + I(j * threads * 4)), I(16))

    return fill, fetch


def rounding(kind: str, threads: int, halo: tuple[int, int, int], row_bytes: int):
    """Returns the device function that rounds the values of a halo in place, once all of them are there.

    ``tf32``: every value. ``bf16``: eight channels become the first 16 of their 32 bytes. ``tf32x3``: none.
    """
    halo_d, halo_h, halo_w = halo
    items = halo_d * halo_h * halo_w * (2 if kind == "bf16" else VECTORS)
    each, rounds = items // (halo_d * halo_h * halo_w), -(-items // threads)
    locate = locating(halo, row_bytes, each)

    @device
    def settle(begin, t):
        """Every thread some vectors of channels."""
        for j in range(rounds):
            e = t + I(j * threads)
            _, _, _, _, offset = locate(e)
            at = begin + offset
            if items % threads == 0 or e < I(items):
                if kind == "bf16":
                    f0, f1, f2, f3 = asm.shared4(at)
                    g0, g1, g2, g3 = asm.shared4(at + U(16))
                    w0, w1 = asm.pair_bf16(f0, f1), asm.pair_bf16(f2, f3)
                    w2, w3 = asm.pair_bf16(g0, g1), asm.pair_bf16(g2, g3)
                else:
                    b0, b1, b2, b3 = asm.shared4_words(at)
                    w0, w1, w2, w3 = asm.to_tf32(b0), asm.to_tf32(b1), asm.to_tf32(b2), asm.to_tf32(b3)
                asm.store_shared4_words(at, w0, w1, w2, w3)

    return settle
