"""Reductions over a tuple of axes; whether reduced axes stay with length 1 follows from the shape of ``out``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.family import serve, wide, write

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
    "any": np.any,
    "all": np.all,
    "variance": np.var,
}

POSITIONS: dict[str, Callable[..., Any]] = {"argmax": np.argmax, "argmin": np.argmin}


RUNNING: dict[str, Callable[..., Any]] = {"cumsum": np.cumsum, "cumprod": np.cumprod}


def _reduction(function: Callable[..., Any]) -> Kernel:
    def kernel(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, axes: tuple[int, ...]) -> None:
        with np.errstate(all="ignore"):
            write(function(wide(x), axis=axes), out)

    return kernel


def _position(function: Callable[..., Any]) -> Kernel:
    def kernel(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, axis: int) -> None:
        write(function(x, axis=axis), out)

    return kernel


def _running(function: Callable[..., Any]) -> Kernel:
    def kernel(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, axis: int) -> None:
        with np.errstate(all="ignore"):
            write(function(wide(x), axis=axis), out)

    return kernel


KERNELS: dict[str, Kernel] = {
    **{name: _reduction(function) for name, function in REDUCTIONS.items()},
    **{name: _position(function) for name, function in POSITIONS.items()},
    **{name: _running(function) for name, function in RUNNING.items()},
}

accepts, load = serve(KERNELS)
