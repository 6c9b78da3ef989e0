"""Convolutions: one matrix product per kernel tap over a strided view of the volume, summed in ``float64``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.activations import activate
from nb3d.kernels.reference.family import serve, wide, write

Triple = tuple[int, ...]
Slices = tuple[slice, ...]


def taps(sizes: Triple, kernel: Triple, strides: Triple, dilations: Triple) -> Iterator[tuple[Triple, Slices]]:
    """Yields every kernel tap with the slices of a padded volume that it sees: ``sizes`` voxels, a stride apart."""
    for tap in product(*map(range, kernel)):
        starts = [k * d for k, d in zip(tap, dilations, strict=True)]
        yield tap, tuple(slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(starts, sizes, strides, strict=True))


def extent(sizes: Triple, kernel: Triple, strides: Triple, dilations: Triple) -> Triple:
    """Returns the voxels per axis that ``sizes`` windows cover, padding included."""
    return tuple((n - 1) * s + (k - 1) * d + 1 for n, k, s, d in zip(sizes, kernel, strides, dilations, strict=True))


def padded(x: np.ndarray, before: Triple, sizes: Triple, fill: float) -> np.ndarray:
    """Returns ``x`` with ``before`` voxels in front (or as many cut), cut or filled to ``sizes`` voxels per axis."""
    x = x[(slice(None), *(slice(max(0, -p), None) for p in before))]
    before = tuple(max(0, p) for p in before)
    result = np.full((x.shape[0], *sizes, x.shape[4]), fill, x.dtype)
    kept = tuple(max(0, min(n, s - p)) for n, s, p in zip(x.shape[1:4], sizes, before, strict=True))
    target = tuple(slice(p, p + n) for p, n in zip(before, kept, strict=True))
    result[(slice(None), *target)] = x[(slice(None), *(slice(0, n) for n in kept))]
    return result


def finish(total: np.ndarray, bias: np.ndarray, activation: int, alpha: float, beta: float, out: np.ndarray) -> None:
    """Writes ``activation(total + bias)``."""
    if bias.size:
        total = total + wide(bias)
    write(activate(total, activation, alpha, beta), out)


def conv3d(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, residual: np.ndarray, out: np.ndarray, scratch: np.ndarray,
    sd: int, sh: int, sw: int, pd: int, ph: int, pw: int, dd: int, dh: int, dw: int,
    groups: int, activation: int, alpha: float, beta: float,
) -> None:  # fmt: skip
    """``activation(cross_correlation(x, kernel) + bias + residual)``."""
    sizes, strides, dilations, window = out.shape[1:4], (sd, sh, sw), (dd, dh, dw), kernel.shape[:3]
    volume = padded(wide(x), (pd, ph, pw), extent(sizes, window, strides, dilations), 0.0)
    weights = wide(kernel)
    ci, co = kernel.shape[3], kernel.shape[4] // groups
    total = np.zeros(out.shape)
    with np.errstate(all="ignore"):
        for tap, where in taps(sizes, window, strides, dilations):
            seen = volume[(slice(None), *where)]
            for g in range(groups):
                block = slice(g * co, (g + 1) * co)
                total[..., block] += seen[..., g * ci : (g + 1) * ci] @ weights[tap][:, block]
    if residual.size:
        total += wide(bias) if bias.size else 0.0
        total += wide(residual)
        bias = np.empty(0, bias.dtype)
    finish(total, bias, activation, alpha, beta, out)


def conv3d_transpose(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, out: np.ndarray, scratch: np.ndarray,
    sd: int, sh: int, sw: int, pd: int, ph: int, pw: int, dd: int, dh: int, dw: int,
    activation: int, alpha: float, beta: float,
) -> None:  # fmt: skip
    """The adjoint of ``conv3d`` in ``x``, then bias and activation."""
    sizes, strides, dilations, window = x.shape[1:4], (sd, sh, sw), (dd, dh, dw), kernel.shape[:3]
    before = (pd, ph, pw)
    reach = extent(sizes, window, strides, dilations)
    full = tuple(max(r, p + n) for r, p, n in zip(reach, before, out.shape[1:4], strict=True))
    total = np.zeros((out.shape[0], *full, out.shape[4]))
    values, weights = wide(x), wide(kernel)
    with np.errstate(all="ignore"):
        for tap, where in taps(sizes, window, strides, dilations):
            total[(slice(None), *where)] += values @ weights[tap].T
    cut = tuple(slice(p, p + n) for p, n in zip(before, out.shape[1:4], strict=True))
    finish(total[(slice(None), *cut)], bias, activation, alpha, beta, out)


KERNELS: dict[str, Kernel] = {"conv3d": conv3d, "conv3d_transpose": conv3d_transpose}

accepts, load = serve(KERNELS)
