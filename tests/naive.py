"""The definitions, as loops over plain Python numbers: slow, obvious, and the judge of ``nb3d/kernels/reference`` only.

Volumes are nested as NumPy arrays, but nothing here computes with arrays.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np


def _voxels(shape):
    return product(*map(range, shape))


def conv3d(x, kernel, bias, residual, out_shape, strides, paddings, dilations, groups):
    """Seven loops: output voxel, filter, taps, channel."""
    out = np.zeros(out_shape)
    per_group_in, per_group_out = kernel.shape[3], kernel.shape[4] // groups
    for n, d, h, w, f in _voxels(out_shape):
        group = f // per_group_out
        total = 0.0
        for kd, kh, kw in _voxels(kernel.shape[:3]):
            i = d * strides[0] + kd * dilations[0] - paddings[0]
            j = h * strides[1] + kh * dilations[1] - paddings[1]
            k = w * strides[2] + kw * dilations[2] - paddings[2]
            if 0 <= i < x.shape[1] and 0 <= j < x.shape[2] and 0 <= k < x.shape[3]:
                for c in range(per_group_in):
                    total += float(x[n, i, j, k, group * per_group_in + c]) * float(kernel[kd, kh, kw, c, f])
        if bias.size:
            total += float(bias[f])
        if residual.size:
            total += float(residual[n, d, h, w, f])
        out[n, d, h, w, f] = total
    return out


def conv3d_transpose(x, kernel, bias, out_shape, strides, paddings, dilations):
    """Every input voxel thrown to where it is seen."""
    out = np.zeros(out_shape)
    for n, i, j, k, c in _voxels(x.shape):
        for kd, kh, kw in _voxels(kernel.shape[:3]):
            d = i * strides[0] + kd * dilations[0] - paddings[0]
            h = j * strides[1] + kh * dilations[1] - paddings[1]
            w = k * strides[2] + kw * dilations[2] - paddings[2]
            if 0 <= d < out_shape[1] and 0 <= h < out_shape[2] and 0 <= w < out_shape[3]:
                for f in range(out_shape[4]):
                    out[n, d, h, w, f] += float(x[n, i, j, k, c]) * float(kernel[kd, kh, kw, f, c])
    if bias.size:
        for n, d, h, w, f in _voxels(out_shape):
            out[n, d, h, w, f] += float(bias[f])
    return out


def _window(x, voxel, window, strides, paddings):
    n, d, h, w, c = voxel
    values = []
    for kd, kh, kw in _voxels(window):
        i = d * strides[0] + kd - paddings[0]
        j = h * strides[1] + kh - paddings[1]
        k = w * strides[2] + kw - paddings[2]
        if 0 <= i < x.shape[1] and 0 <= j < x.shape[2] and 0 <= k < x.shape[3]:
            values.append(float(x[n, i, j, k, c]))
    return values


def max_pool3d(x, out_shape, window, strides, paddings):
    """The largest value under the window; NaN if one is NaN."""
    out = np.zeros(out_shape)
    for voxel in _voxels(out_shape):
        values = _window(x, voxel, window, strides, paddings)
        out[voxel] = math.nan if any(map(math.isnan, values)) else max(values)
    return out


def average_pool3d(x, out_shape, window, strides, paddings):
    """The mean of the values under the window that are in the volume."""
    out = np.zeros(out_shape)
    for voxel in _voxels(out_shape):
        values = _window(x, voxel, window, strides, paddings)
        out[voxel] = sum(values) / len(values)
    return out


def normalization(x, offset, scale, first, groups, epsilon, centered, divisor):
    """Statistics of everything that shares the leading axes and the group of channels."""
    out, sets = np.zeros(x.shape), {}
    each = x.shape[-1] // groups

    def key(place):
        return (*place[:first], place[-1] // each)

    for place in _voxels(x.shape):
        sets.setdefault(key(place), []).append(float(x[place]))
    for place in _voxels(x.shape):
        values = sets[key(place)]
        mean = sum(values) / len(values) if centered else 0.0
        squares = sum((value - mean) ** 2 for value in values)
        deviation = math.sqrt(squares / len(values))
        out[place] = (float(x[place]) - mean) / (
            math.sqrt(squares / len(values) + epsilon), deviation + epsilon, max(math.sqrt(squares), epsilon)
        )[divisor]  # fmt: skip
        if scale.size:
            out[place] *= float(scale[place[-1]])
        if offset.size:
            out[place] += float(offset[place[-1]])
    return out


def upsample3d_linear(x, out_shape, factors):
    """Eight products for every voxel; places count in voxels of the input, from the centre of the first one."""
    out = np.zeros(out_shape)
    for place in _voxels(out_shape):
        for corner in product((0, 1), repeat=3):
            weight, voxel = 1.0, [place[0], 0, 0, 0, place[4]]
            for axis in (1, 2, 3):
                where = (place[axis] + 0.5) / factors[axis - 1] - 0.5
                lower = math.floor(where)
                above = corner[axis - 1]
                weight *= where - lower if above else 1.0 - (where - lower)
                voxel[axis] = min(max(lower + above, 0), x.shape[axis] - 1)
            if weight:
                out[place] += weight * float(x[tuple(voxel)])
    return out


def adaptive_pool3d(x, out_shape, largest):
    """Every output voxel: the voxels between the floor of where it begins and the ceiling of where it ends."""
    out = np.zeros(out_shape)
    for n, d, h, w, c in _voxels(out_shape):
        ranges = [
            range(math.floor(i * size / count), math.ceil((i + 1) * size / count))
            for i, size, count in zip((d, h, w), x.shape[1:4], out_shape[1:4], strict=True)
        ]
        values = [float(x[n, i, j, k, c]) for i, j, k in product(*ranges)]
        nan = any(map(math.isnan, values))
        out[n, d, h, w, c] = math.nan if nan else max(values) if largest else sum(values) / len(values)
    return out
