"""Linear upsampling by whole factors: a thread puts one value between the eight voxels around it.

``blockIdx.y`` walks over planes (batch and depth). Neighbouring values read the same voxels, from L1. Bound by memory,
nearly all of it written. A voxel of weight zero does not count, for it may be infinite.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.door import cuda, device


@device
def _between(low, high, weight):
    return low if weight == type(low)(0) else low * (type(low)(1) - weight) + high * weight


def build(dtype: str):
    """Returns the kernel."""
    kind = np.dtype(dtype).type

    @device
    def around(place, factor, size):
        """The voxels below and above a place, and the weight of the upper one."""
        parts = 2 * factor
        from_below = 2 * place + 1 + factor  # in parts of a voxel, from one voxel before the first
        low = udiv(from_below, parts) - 1
        return max(low, 0), min(low + 1, size - 1), kind(umod(from_below, parts)) / kind(parts)

    def upsample(x, out, planes, od, oh, ow, channels, x_pitch, o_pitch, d, h, w, fd, fh, fw):
        at = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        count = oh * ow * channels
        if at >= count:
            return
        channel, voxel = umod(at, channels), udiv(at, channels)
        x0, x1, across = around(umod(voxel, ow), fw, w)
        y0, y1, along = around(udiv(voxel, ow), fh, h)
        for plane in range(cuda.blockIdx.y, planes, cuda.gridDim.y):
            batch = udiv(plane, od)
            z0, z1, deep = around(plane - batch * od, fd, d)
            low, high = (batch * d + z0) * np.int64(h), (batch * d + z1) * np.int64(h)
            a, b = (low + y0) * w, (low + y1) * w
            p, q = (high + y0) * w, (high + y1) * w
            # Depth first, then height, then width: the order of the definition.
            left_0 = _between(x[(a + x0) * x_pitch + channel], x[(p + x0) * x_pitch + channel], deep)
            left_1 = _between(x[(b + x0) * x_pitch + channel], x[(q + x0) * x_pitch + channel], deep)
            right_0 = _between(x[(a + x1) * x_pitch + channel], x[(p + x1) * x_pitch + channel], deep)
            right_1 = _between(x[(b + x1) * x_pitch + channel], x[(q + x1) * x_pitch + channel], deep)
            left, right = _between(left_0, left_1, along), _between(right_0, right_1, along)
            out[(plane * np.int64(oh * ow) + voxel) * o_pitch + channel] = _between(left, right, across)

    return upsample
