"""Products of tiles in float32, for the kernels that bring voxels and weights to shared memory."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.door import device

U = np.uint32


def float32_products(tall: int, wide: int, step: int, apart: int):
    """Returns the device function that adds one position of the sum: a column of voxels times a row of filters.

    Args:
        tall: Voxels of a thread.
        wide: Filters of a thread.
        step: Values between the voxels in registers.
        apart: Bytes between fours of filters in shared memory.
    """
    quads = wide // 4

    @device
    def multiply(total, left, k, b_at):
        """Sums, voxels from ``left[k]`` on, and the address of the weights."""
        for j in range(quads):
            w0, w1, w2, w3 = asm.shared4(b_at + U(j * apart))
            for i in range(tall):
                value = left[i * step + k]
                total[i * wide + j * 4] += value * w0
                total[i * wide + j * 4 + 1] += value * w1
                total[i * wide + j * 4 + 2] += value * w2
                total[i * wide + j * 4 + 3] += value * w3

    return multiply
