"""Depthwise convolution in float32: every filter sees one channel; any kernel, stride and dilation.

A thread makes four voxels of a row for one filter, neighbouring threads have neighbouring filters. Where the voxels
that four results see in a row fit registers, each is read once, and a weight serves four results: for 3x3x3 nine reads
for twelve multiply-adds, where one result per thread takes 24. ``blockIdx.y`` walks over planes (batch and depth).
Bound by memory, if L1 keeps the rows. Registers: 128 at most, for two blocks on a multiprocessor, whose independent
reads keep the memory busy; with 80 seven taps spill. Unmeasured: no GPU has run it. Rejected: eight voxels, whose
activations are no longer unrolled, so that sums would lie in memory.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.device.integers import udiv, umod
from nb3d.kernels.cuda.device.operations import activation
from nb3d.kernels.cuda.door import cuda, device

TALL = 4  # voxels of a thread
MOST_HELD = 10  # voxels of a row in registers: with more of them some would spill


def build(kw: int, sw: int, dw: int, code: int, bias: bool, residual: bool):
    """Returns the kernel.

    Args:
        kw: Taps along the third axis.
        sw: Stride along the third axis.
        dw: Dilation along the third axis.
        code: Number of the activation.
        bias: Whether there is one.
        residual: Whether there is one.
    """
    finish = activation(code)
    reach = (TALL - 1) * sw + (kw - 1) * dw + 1
    held = reach <= MOST_HELD
    kept = reach if held else 1

    @device
    def seen(x, row, u, w, channels):
        inside = (u >= 0) & (u < w)
        value = x[row + (u if inside else 0) * channels]
        return value if inside else np.float32(0)

    def conv_depthwise(
        x, kernel, biases, residuals, out, planes, od, oh, ow, filters, pitch, d, h, w, channels, kd, kh, taps, sd, sh,
        pd, ph, pw, dd, dh, alpha, beta,
    ):  # fmt: skip
        at = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        runs = udiv(ow + TALL - 1, TALL)
        if at >= oh * runs * filters:
            return
        total = cuda.local.array(TALL, "float32")
        left = cuda.local.array(kept, "float32")
        f, run = umod(at, filters), udiv(at, filters)
        first, oy = umod(run, runs) * TALL, udiv(run, runs)
        c = udiv(f, udiv(filters, channels))
        u0 = first * sw - pw
        for plane in range(cuda.blockIdx.y, planes, cuda.gridDim.y):
            batch = udiv(plane, od)
            oz = plane - batch * od
            for q in range(TALL):
                total[q] = biases[f] if bias else np.float32(0)
            for i in range(kd):
                z = oz * sd - pd + i * dd
                if z < 0 or z >= d:
                    continue
                for j in range(kh):
                    y = oy * sh - ph + j * dh
                    if y < 0 or y >= h:
                        continue
                    row = ((batch * d + z) * np.int64(h) + y) * w * channels + c
                    if held:
                        for n in range(reach):
                            left[n] = seen(x, row, u0 + n, w, channels)
                    for k in range(kw if held else taps):  # a number that is not known is not unrolled
                        weight = kernel[((i * kh + j) * np.int64(kw) + k) * filters + f]
                        for q in range(TALL):
                            if held:
                                value = left[q * sw + k * dw]
                            else:
                                value = seen(x, row, u0 + q * sw + k * dw, w, channels)
                            total[q] += value * weight
            to = ((plane * np.int64(oh) + oy) * ow + first) * pitch + f
            for q in range(TALL):
                if first + q < ow:
                    value = total[q]
                    if residual:
                        value += residuals[to + q * pitch]
                    out[to + q * pitch] = finish(value, alpha, beta)

    return conv_depthwise
