"""Volumes made larger or smaller without arithmetic: nearest upsampling, zero padding, cropping."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.convolution import padded
from nb3d.kernels.reference.family import serve


def upsample3d(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, fd: int, fh: int, fw: int) -> None:
    """Repeats every voxel."""
    out[...] = x.repeat(fd, axis=1).repeat(fh, axis=2).repeat(fw, axis=3)


def pad3d(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, pd: int, ph: int, pw: int) -> None:
    """Surrounds the volume with zeros; what lies behind it follows from the size of ``out``."""
    out[...] = padded(x, (pd, ph, pw), out.shape[1:4], 0)


def crop3d(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, cd: int, ch: int, cw: int) -> None:
    """Cuts voxels off; what is cut behind follows from the size of ``out``."""
    d, h, w = out.shape[1:4]
    out[...] = x[:, cd : cd + d, ch : ch + h, cw : cw + w]


KERNELS: dict[str, Kernel] = {"upsample3d": upsample3d, "pad3d": pad3d, "crop3d": crop3d}

accepts, load = serve(KERNELS)
