"""Volumes made larger or smaller: nearest and linear upsampling, zero padding, cropping."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.convolution import padded
from nb3d.kernels.reference.family import serve, wide, write


def upsample3d(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, fd: int, fh: int, fw: int) -> None:
    """Repeats every voxel."""
    out[...] = x.repeat(fd, axis=1).repeat(fh, axis=2).repeat(fw, axis=3)


def between(x: np.ndarray, axis: int, factor: int) -> np.ndarray:
    """``factor`` times as many values along an axis; a voxel of weight zero does not count, be it infinite."""
    places = (np.arange(x.shape[axis] * factor) + 0.5) / factor - 0.5
    lower = np.floor(places).astype(np.int64)
    along = [-1 if i == axis else 1 for i in range(x.ndim)]
    weight = (places - lower).reshape(along)
    low, high = (x.take(np.clip(voxel, 0, x.shape[axis] - 1), axis) for voxel in (lower, lower + 1))
    with np.errstate(all="ignore"):
        return np.where(weight == 0.0, low, low * (1.0 - weight) + high * weight)


def upsample3d_linear(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, fd: int, fh: int, fw: int) -> None:
    """Straight lines between voxels, whose centres are half a voxel from the border."""
    write(between(between(between(wide(x), 1, fd), 2, fh), 3, fw), out)


def pad3d(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, pd: int, ph: int, pw: int) -> None:
    """Surrounds the volume with zeros; what lies behind it follows from the size of ``out``."""
    out[...] = padded(x, (pd, ph, pw), out.shape[1:4], 0)


def crop3d(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, cd: int, ch: int, cw: int) -> None:
    """Cuts voxels off; what is cut behind follows from the size of ``out``."""
    d, h, w = out.shape[1:4]
    out[...] = x[:, cd : cd + d, ch : ch + h, cw : cw + w]


KERNELS: dict[str, Kernel] = {
    "upsample3d": upsample3d,
    "upsample3d_linear": upsample3d_linear,
    "pad3d": pad3d,
    "crop3d": crop3d,
}

accepts, load = serve(KERNELS)
