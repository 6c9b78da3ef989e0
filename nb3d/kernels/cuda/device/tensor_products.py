"""Products of tiles on tensor cores, for the kernels that bring voxels and weights to shared memory.

What is multiplied: ``tf32``, values rounded to 10 bits of mantissa; ``tf32x3``, a value as the sum of two of those, and
three products: as accurate as float32; ``bf16``, pairs of values in a word.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.door import cuda, device

U = np.uint32


def tensor_products(kind: str, products: int, quads: int, apart: int, fresh: bool):
    """Returns the device function that adds one step along the channels to a warp's sums.

    A warp has ``products`` times 16 voxels and ``quads`` times 16 filters; 8 sums of a lane belong to each pair.
    Weights come in the order of fragments, 512 bytes for 16 filters and one piece; with ``tf32x3`` the rests of all
    follow.

    Args:
        kind: What is multiplied.
        products: Of 16 voxels.
        quads: Of 16 filters.
        apart: Bytes from one product's voxels to the next one's.
        fresh: Whether values are float32 still, to be rounded here.
    """
    halves, split = kind == "bf16", kind == "tf32x3"
    rounds = fresh and not split
    words = quads * 4

    @device
    def multiply(total, a_at, b_at):
        """Sums, and the addresses of shared memory from which a lane reads."""
        b = cuda.local.array(words, "uint32")
        low = cuda.local.array(words, "uint32")
        for q in range(quads):
            b0, b1, b2, b3 = asm.shared4_words(b_at + U(q * 512))
            b[q * 4], b[q * 4 + 1], b[q * 4 + 2], b[q * 4 + 3] = b0, b1, b2, b3
            if split:
                l0, l1, l2, l3 = asm.shared4_words(b_at + U((quads + q) * 512))
                low[q * 4], low[q * 4 + 1], low[q * 4 + 2], low[q * 4 + 3] = l0, l1, l2, l3
        for i in range(products):
            a0, a1, a2, a3 = asm.matrices(a_at + U(i * apart))
            if rounds:
                a0, a1, a2, a3 = asm.to_tf32(a0), asm.to_tf32(a1), asm.to_tf32(a2), asm.to_tf32(a3)
            if split:
                x0, x1, x2, x3 = a0, a1, a2, a3
                a0, a1, a2, a3 = asm.to_tf32(x0), asm.to_tf32(x1), asm.to_tf32(x2), asm.to_tf32(x3)
                (r0, s0), (r1, s1) = asm.rest_tf32(x0, a0), asm.rest_tf32(x1, a1)
                (r2, s2), (r3, s3) = asm.rest_tf32(x2, a2), asm.rest_tf32(x3, a3)
            for q in range(quads):
                b0, b1, b2, b3 = b[q * 4], b[q * 4 + 1], b[q * 4 + 2], b[q * 4 + 3]
                k = (i * quads + q) * 8
                c0, c1, c2, c3 = total[k], total[k + 1], total[k + 2], total[k + 3]
                e0, e1, e2, e3 = total[k + 4], total[k + 5], total[k + 6], total[k + 7]
                if halves:
                    c0, c1, c2, c3 = asm.product_bf16(a0, a1, a2, a3, b0, b1, c0, c1, c2, c3)
                    e0, e1, e2, e3 = asm.product_bf16(a0, a1, a2, a3, b2, b3, e0, e1, e2, e3)
                else:
                    if split:
                        l0, l1, l2, l3 = low[q * 4], low[q * 4 + 1], low[q * 4 + 2], low[q * 4 + 3]
                        c0, c1, c2, c3 = asm.product_tf32(r0, r1, r2, r3, b0, b1, c0, c1, c2, c3)
                        e0, e1, e2, e3 = asm.product_tf32(r0, r1, r2, r3, b2, b3, e0, e1, e2, e3)
                        c0, c1, c2, c3 = asm.product_tf32(s0, s1, s2, s3, l0, l1, c0, c1, c2, c3)
                        e0, e1, e2, e3 = asm.product_tf32(s0, s1, s2, s3, l2, l3, e0, e1, e2, e3)
                    c0, c1, c2, c3 = asm.product_tf32(a0, a1, a2, a3, b0, b1, c0, c1, c2, c3)
                    e0, e1, e2, e3 = asm.product_tf32(a0, a1, a2, a3, b2, b3, e0, e1, e2, e3)
                total[k], total[k + 1], total[k + 2], total[k + 3] = c0, c1, c2, c3
                total[k + 4], total[k + 5], total[k + 6], total[k + 7] = e0, e1, e2, e3

    return multiply


def tensor_sums(products: int, quads: int, threads: int):
    """Returns the device function that puts a lane's sums into shared memory, four filters of a voxel at a time.

    Voxels ``lane // 4`` and that plus 8 of every product, filters from ``4 (lane % 4)`` on of every quad: the columns
    of the weights are permuted so that they follow each other.
    """
    sums = products * quads

    @device
    def spill(total, mine):
        """Fours are ``threads`` times 16 bytes apart, those of the two voxels behind each other."""
        for pair in range(sums):
            k, to = pair * 8, mine + U(pair * 2 * threads * 16)
            asm.store_shared4(to, total[k], total[k + 1], total[k + 4], total[k + 5])
            asm.store_shared4(to + U(threads * 16), total[k + 2], total[k + 3], total[k + 6], total[k + 7])

    return spill
