"""Values picked by index, and sorted."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.family import serve


def _check(indices: np.ndarray, size: int) -> None:
    """Indices are values, so nobody above could check them."""
    beyond = indices[(indices < -size) | (indices >= size)]
    if beyond.size:
        raise ValueError(f"index {beyond.flat[0]} is out of range for an axis of size {size}")


def take(x: np.ndarray, indices: np.ndarray, out: np.ndarray, scratch: np.ndarray, axis: int) -> None:
    """``numpy.take``: the parts at some indices."""
    _check(indices, x.shape[axis])
    out[...] = np.take(x, indices, axis)


def take_along_axis(x: np.ndarray, indices: np.ndarray, out: np.ndarray, scratch: np.ndarray, axis: int) -> None:
    """``numpy.take_along_axis``: every index picks one value; the other axes broadcast."""
    _check(indices, x.shape[axis])
    shape = list(out.shape)
    wanted = np.broadcast_to(indices, shape)
    shape[axis] = x.shape[axis]
    out[...] = np.take_along_axis(np.broadcast_to(x, shape), wanted, axis)


def sort(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, axis: int) -> None:
    """The values along an axis from the smallest to the largest, NaN last."""
    out[...] = np.sort(x, axis)


def argsort(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, axis: int) -> None:
    """Where they stood, equal ones in their old order."""
    out[...] = np.argsort(x, axis, kind="stable")


KERNELS: dict[str, Kernel] = {"take": take, "take_along_axis": take_along_axis, "sort": sort, "argsort": argsort}

accepts, load = serve(KERNELS)
