"""The error of convolution kernels against float64: on which data, and how it is measured."""

from __future__ import annotations

from unittest import mock

import numpy as np

from nb3d.kernels import table
from nb3d.kernels.case import Arrays, Case, Implementation
from nb3d.kernels.cpu import conv3d_winograd
from nb3d.kernels.cpu.winograd.cost import Choice
from tests.kernels.cases import LINEAR, conv

# Data that makes rounding visible: a large offset that cancels, and values over four orders of magnitude.
DATA = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "offset": lambda rng, shape: rng.standard_normal(shape) + 100.0,
    "alternating": lambda rng, shape: 100.0 * (-1.0) ** np.indices(shape)[1:4].sum(0) + rng.standard_normal(shape),
    "range": lambda rng, shape: rng.standard_normal(shape) * 10.0 ** rng.uniform(-2, 2, shape),
    "islands": lambda rng, shape: rng.standard_normal(shape) * np.where(rng.random(shape) < 0.01, 1e4, 1.0),
}


def problem(values: str, kernel: tuple[int, int, int], channels: int, sizes=(12, 12, 12)) -> tuple[Case, Arrays]:
    """A plain convolution to 16 filters, and inputs of one kind of data."""
    case = conv(sizes, channels, 16, kernel=kernel, bias=False, activation=LINEAR, constant=True).case
    rng = np.random.default_rng(2)
    x = DATA[values](rng, case.inputs[0]).astype(np.float32)
    weights = rng.standard_normal(case.inputs[1]).astype(np.float32)
    none = np.empty(0, np.float32)
    return case, (x, weights, none, none)


def implementation(name: str) -> Implementation:
    """One of the implementations of conv3d on the CPU."""
    return next(found for found in table.implementations("conv3d") if found.name == name)


def run(name: str, case: Case, inputs: Arrays, threads: int = 3) -> np.ndarray:
    """Runs one implementation, in memory that is dirty and no larger than asked for."""
    chosen = implementation(name)
    out = np.full(case.out, np.nan, case.out_dtype)
    scratch = np.full(chosen.scratch(case, threads), 0xAB, np.uint8)
    chosen.load(case)(*chosen.prepare(case, inputs), out, scratch, *case.params)
    return out


def run_tile(tile: tuple[int, int, int], case: Case, inputs: Arrays, fresh: bool = False) -> np.ndarray:
    """Runs Winograd's algorithm with tiles of so many outputs, and fresh weights or not, whatever would be chosen."""
    forced = Choice(tile, fresh, 0.0, 0.0, 0.0)
    with mock.patch.object(conv3d_winograd, "_choice", return_value=forced):
        return run("winograd", case, inputs)


def exact(case: Case, inputs: Arrays) -> np.ndarray:
    """The linear convolution in float64."""
    x, kernel, bias, residual = (a.astype(np.float64) for a in inputs)
    taps, out = kernel.shape[:3], case.out
    before = case.params[3:6]
    after = [max(o + k - 1 - b - n, 0) for o, k, b, n in zip(out[1:4], taps, before, x.shape[1:4], strict=True)]
    x = np.pad(x, [(0, 0), *zip(before, after, strict=True), (0, 0)])
    total = np.zeros(out)
    for d, h, w in np.ndindex(*taps):
        total += x[:, d : d + out[1], h : h + out[2], w : w + out[3]] @ kernel[d, h, w]
    return total + (bias if bias.size else 0) + (residual if residual.size else 0)


def error(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest error in units of the largest output."""
    return float(np.abs(got - expected).max() / np.abs(expected).max())
