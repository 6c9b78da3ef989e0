"""Pooling: a thread computes one value of the result; neighbouring threads have neighbouring channels.

``blockIdx.y`` walks over planes (batch and depth), so positions inside a plane fit 32 bits. Bound by memory: windows
overlap in L1. Registers: 96 at most.
"""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.door import cuda, device


@device
def _first(i, count, size, stride, padding, adaptive):
    """The first voxel of window ``i``."""
    return udiv(i * size, count) if adaptive else max(i * stride - padding, 0)


@device
def _last(i, count, size, window, stride, padding, adaptive):
    """The voxel behind window ``i``."""
    return udiv((i + 1) * size + count - 1, count) if adaptive else min(i * stride - padding + window, size)


def build(op: str, dtype: str):
    """Returns the kernel of ``max_pool3d``, ``average_pool3d``, or their adaptive forms."""
    kind = np.dtype(dtype).type
    largest, adaptive = op.endswith("max_pool3d"), op.startswith("adaptive")
    start = kind(0) if not largest else kind(-math.inf) if kind(0).dtype.kind == "f" else np.iinfo(kind).min

    def pool(
        x, out, planes, od, oh, ow, channels, x_pitch, o_pitch, d, h, w, kd, kh, kw, sd, sh, sw, pd, ph, pw
    ):  # fmt: skip
        at = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        count = oh * ow * channels
        if at >= count:
            return
        channel = umod(at, channels)
        voxel = udiv(at, channels)
        i_w, i_h = umod(voxel, ow), udiv(voxel, ow)
        x0, x1 = _first(i_w, ow, w, sw, pw, adaptive), _last(i_w, ow, w, kw, sw, pw, adaptive)
        y0, y1 = _first(i_h, oh, h, sh, ph, adaptive), _last(i_h, oh, h, kh, sh, ph, adaptive)
        for plane in range(cuda.blockIdx.y, planes, cuda.gridDim.y):
            batch = udiv(plane, od)
            i_d = plane - batch * od
            value, inside = kind(start), 0
            for i in range(_first(i_d, od, d, sd, pd, adaptive), _last(i_d, od, d, kd, sd, pd, adaptive)):
                for j in range(y0, y1):
                    row = (((batch * d + i) * np.int64(h) + j) * w) * x_pitch + channel
                    for k in range(x0, x1):
                        seen = x[row + k * x_pitch]
                        if largest:
                            value = seen if (seen > value) | (seen != seen) else value
                        else:
                            value += seen
                            inside += 1
            to = (plane * np.int64(oh * ow) + voxel) * o_pitch + channel
            out[to] = value if largest else kind(value / kind(inside))

    return pool
