"""Pooling: the taps of a window, folded one by one; padding never enters the result."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.convolution import extent, padded, taps
from nb3d.kernels.reference.family import serve, wide, write

ONE = (1, 1, 1)


def _lowest(dtype: np.dtype) -> float:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def max_pool3d(
    x: np.ndarray, out: np.ndarray, scratch: np.ndarray,
    kd: int, kh: int, kw: int, sd: int, sh: int, sw: int, pd: int, ph: int, pw: int,
) -> None:  # fmt: skip
    """The largest value of every window; a NaN in it wins."""
    sizes, window, strides = out.shape[1:4], (kd, kh, kw), (sd, sh, sw)
    lowest = _lowest(x.dtype)
    volume = padded(x, (pd, ph, pw), extent(sizes, window, strides, ONE), lowest)
    out[...] = lowest
    for _, where in taps(sizes, window, strides, ONE):
        np.maximum(out, volume[(slice(None), *where)], out=out)


def average_pool3d(
    x: np.ndarray, out: np.ndarray, scratch: np.ndarray,
    kd: int, kh: int, kw: int, sd: int, sh: int, sw: int, pd: int, ph: int, pw: int,
) -> None:  # fmt: skip
    """The mean of the voxels of every window that lie in the volume."""
    sizes, window, strides, before = out.shape[1:4], (kd, kh, kw), (sd, sh, sw), (pd, ph, pw)
    reach = extent(sizes, window, strides, ONE)
    volume = padded(wide(x), before, reach, 0.0)
    inside = padded(np.ones((1, *x.shape[1:4], 1)), before, reach, 0.0)
    total, count = np.zeros(out.shape), np.zeros((1, *sizes, 1))
    with np.errstate(all="ignore"):
        for _, where in taps(sizes, window, strides, ONE):
            total += volume[(slice(None), *where)]
            count += inside[(slice(None), *where)]
        write(total / count, out)


KERNELS: dict[str, Kernel] = {"max_pool3d": max_pool3d, "average_pool3d": average_pool3d}

accepts, load = serve(KERNELS)
