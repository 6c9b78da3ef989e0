"""Pooling: a thread computes one value of the result; neighbouring threads have neighbouring channels.

``blockIdx.y`` walks over planes (batch and depth), so positions inside a plane fit 32 bits. Bound by memory: windows
overlap in L1. Registers: 80 at most.
"""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.door import cuda


def build(op: str, dtype: str):
    """Returns the kernel of ``max_pool3d`` or ``average_pool3d``."""
    kind = np.dtype(dtype).type
    largest = op == "max_pool3d"
    start = kind(0) if not largest else kind(-math.inf) if kind(0).dtype.kind == "f" else np.iinfo(kind).min

    def pool(
        x, out, planes, od, oh, ow, channels, d, h, w, kd, kh, kw, sd, sh, sw, pd, ph, pw
    ):  # fmt: skip
        at = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        count = oh * ow * channels
        if at >= count:
            return
        channel = umod(at, channels)
        voxel = udiv(at, channels)
        x0 = umod(voxel, ow) * sw - pw
        y0 = udiv(voxel, ow) * sh - ph
        for plane in range(cuda.blockIdx.y, planes, cuda.gridDim.y):
            batch = udiv(plane, od)
            z0 = (plane - batch * od) * sd - pd
            value, inside = kind(start), 0
            for i in range(max(z0, 0), min(z0 + kd, d)):
                for j in range(max(y0, 0), min(y0 + kh, h)):
                    row = (((batch * d + i) * np.int64(h) + j) * w) * channels + channel
                    for k in range(max(x0, 0), min(x0 + kw, w)):
                        seen = x[row + k * channels]
                        if largest:
                            value = seen if (seen > value) | (seen != seen) else value
                        else:
                            value += seen
                            inside += 1
            out[plane * np.int64(count) + at] = value if largest else kind(value / kind(inside))

    return pool
