"""Values moved, never changed: the structural operations, for every dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.family import serve, write


def copy(x: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
    """``out = x``: under another shape (``reshape``), in another dtype (``cast``), or as it is (``identity``)."""
    write(x, out)


def unfold(x: np.ndarray, like: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
    """``out = x`` under a shape that begins as ``like`` does, of which nothing else is read."""
    write(x, out)


def broadcast_to(x: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
    """Repeats ``x`` along axes of length 1 and new leading axes."""
    out[...] = x


def assign(variable: np.ndarray, value: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
    """``out = value``, broadcast to the shape of the variable, whose old value is not read."""
    np.copyto(out, value, casting="unsafe")


def concatenate(*arguments: Any) -> None:
    """Joins any number of arrays along ``axis``."""
    *inputs, out, _scratch, axis = arguments
    np.concatenate(inputs, axis=axis, out=out)


def transpose(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, axes: tuple[int, ...]) -> None:
    """Permutes the axes."""
    out[...] = x.transpose(axes)


def slice_(
    x: np.ndarray, out: np.ndarray, scratch: np.ndarray, starts: tuple[int, ...], steps: tuple[int, ...]
) -> None:  # fmt: skip
    """Takes every ``step``-th value per axis from ``start``; the shape of ``out`` says how many."""
    window = []
    for start, step, length in zip(starts, steps, out.shape, strict=True):
        stop = start + step * length
        window.append(slice(start, stop if stop >= 0 else None, step))
    out[...] = x[tuple(window)] if out.size else 0


def pad(
    x: np.ndarray, out: np.ndarray, scratch: np.ndarray, pairs: tuple[tuple[int, int], ...], mode: str, value: float
) -> None:  # fmt: skip
    """``numpy.pad``."""
    more = {"constant_values": value} if mode == "constant" else {}
    out[...] = np.pad(x, pairs, mode, **more)  # type: ignore[call-overload]  # the mode is one of four


KERNELS: dict[str, Kernel] = {
    "identity": copy,
    "reshape": copy,
    "cast": copy,
    "unfold": unfold,
    "broadcast_to": broadcast_to,
    "assign": assign,
    "concatenate": concatenate,
    "transpose": transpose,
    "slice": slice_,
    "pad": pad,
}

accepts, load = serve(KERNELS)
