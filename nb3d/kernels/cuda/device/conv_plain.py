"""conv3d and conv3d_transpose, one value of the result per thread: any kernel, stride, dilation, group and dtype.

The fall-back for what the tiles do not take: ``float64``, small groups, weights that change. Neighbouring
threads have neighbouring filters: they share the voxels they read, and read the kernel in lines. ``blockIdx.y`` walks
over planes (batch and depth). Registers: under 96.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.device.operations import activation
from nb3d.kernels.cuda.door import cuda


def build(transposed: bool, code: int, bias: bool, residual: bool, dtype: str):
    """Returns the kernel; ``code`` is the activation's number."""
    kind, finish = np.dtype(dtype).type, activation(code)

    def conv_plain(
        x, kernel, biases, residuals, out, planes, od, oh, ow, filters, pitch, d, h, w, channels, kd, kh, kw,
        sd, sh, sw, pd, ph, pw, dd, dh, dw, groups, alpha, beta,
    ):  # fmt: skip
        at = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        count = oh * ow * filters
        if at >= count:
            return
        f = umod(at, filters)
        voxel = udiv(at, filters)
        ox, oy = umod(voxel, ow), udiv(voxel, ow)
        seen = udiv(channels, groups)
        first = udiv(f, udiv(filters, groups)) * seen
        for plane in range(cuda.blockIdx.y, planes, cuda.gridDim.y):
            batch = udiv(plane, od)
            oz = plane - batch * od
            where = (plane * np.int64(oh * ow) + voxel) * pitch + f
            total = biases[f] if bias else kind(0)
            for i in range(kd):
                z = oz + pd - i * dd if transposed else oz * sd - pd + i * dd
                if transposed:
                    if z < 0 or umod(z, sd) != 0:
                        continue
                    z = udiv(z, sd)
                if z < 0 or z >= d:
                    continue
                for j in range(kh):
                    y = oy + ph - j * dh if transposed else oy * sh - ph + j * dh
                    if transposed:
                        if y < 0 or umod(y, sh) != 0:
                            continue
                        y = udiv(y, sh)
                    if y < 0 or y >= h:
                        continue
                    for k in range(kw):
                        u = ox + pw - k * dw if transposed else ox * sw - pw + k * dw
                        if transposed:
                            if u < 0 or umod(u, sw) != 0:
                                continue
                            u = udiv(u, sw)
                        if u < 0 or u >= w:
                            continue
                        source = (((batch * d + z) * np.int64(h) + y) * w + u) * channels + first
                        tap = (i * kh + j) * np.int64(kw) + k
                        for c in range(seen):
                            # Keras has kernels as (..., channels, filters), transposed ones as (..., filters, channels)
                            weight = (
                                kernel[(tap * filters + f) * channels + c]
                                if transposed
                                else (kernel[(tap * seen + c) * filters + f])
                            )
                            total += x[source + c] * weight
            if residual:
                total += residuals[where]
            out[where] = finish(total, alpha, beta)

    return conv_plain
