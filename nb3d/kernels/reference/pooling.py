"""Pooling: the taps of a window, folded one by one; padding never enters the result."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

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


def _parts(size: int, count: int) -> list[slice]:
    """An axis in so many parts of (almost) equal length; neighbours may share a voxel, and none is empty."""
    return [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def _adaptive(fold: Callable[..., np.ndarray]) -> Kernel:
    def kernel(x: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
        values = wide(x)
        axes = [list(enumerate(_parts(*sizes))) for sizes in zip(x.shape[1:4], out.shape[1:4], strict=True)]
        with np.errstate(all="ignore"):
            for (d, depth), (h, height), (w, width) in product(*axes):
                out[:, d, h, w] = fold(values[:, depth, height, width], axis=(1, 2, 3))

    return kernel


KERNELS: dict[str, Kernel] = {
    "max_pool3d": max_pool3d,
    "average_pool3d": average_pool3d,
    "adaptive_max_pool3d": _adaptive(np.max),
    "adaptive_average_pool3d": _adaptive(np.mean),
}

accepts, load = serve(KERNELS)
