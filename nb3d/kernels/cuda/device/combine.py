"""Adds the parts of divided sums, always in the same order, and finishes them: see ``splits.py``.

A thread makes four filters of a voxel. Parts are read once, from the last cache; bound by that.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.epilogue import read_fours, writer
from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.door import cuda

I = np.int32  # noqa: E741


def build(code: int):
    """Returns the kernel; ``code`` is the number of the activation."""
    write = writer(code)

    def combine(partial, bias, residuals, out, voxels, parts, whole, filters, pitch, fours, alpha, beta):
        thread = I(cuda.blockIdx.x) * I(cuda.blockDim.x) + I(cuda.threadIdx.x)
        quads = (filters + I(3)) >> I(2)
        voxel, f = udiv(thread, quads), umod(thread, quads) * I(4)
        if voxel < voxels:
            at, left = np.int64(voxel) * filters + f, filters - f
            v0 = v1 = v2 = v3 = np.float32(0)
            for part in range(parts):
                w0, w1, w2, w3 = read_fours(partial, at + np.int64(part) * whole, left, fours)
                v0, v1, v2, v3 = v0 + w0, v1 + w1, v2 + w2, v3 + w3
            to = np.int64(voxel) * pitch + f
            write(out, residuals, to, left, fours, v0, v1, v2, v3, asm.global_address(bias, f), alpha, beta)

    return combine
