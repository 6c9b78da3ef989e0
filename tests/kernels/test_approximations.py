"""The vector functions in units of the last place, over all magnitudes of float32."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

from nb3d.kernels.cpu import approximations


def _everywhere(low: float, high: float) -> np.ndarray:
    """Every magnitude from the smallest number on, and densely where functions bend."""
    sizes = np.concatenate([np.geomspace(1e-38, 200, 400_000), np.linspace(0, 12, 200_000)])
    both = np.concatenate([-sizes, sizes]).astype(np.float32)
    return both[(both >= low) & (both <= high)]


def _ulps(actual: np.ndarray, exact: np.ndarray) -> np.ndarray:
    return np.abs(actual.astype(np.float64) - exact) / np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)


def _apply(name: str, x: np.ndarray) -> np.ndarray:
    function = getattr(approximations, name)

    @njit(error_model="numpy")
    def loop(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    out = np.empty_like(x)
    loop(x, out)
    return out


@pytest.mark.parametrize(
    ("name", "exact", "low", "high"),
    [
        ("exp", np.exp, -103.9, 88.7),
        ("exp_below_zero", np.exp, -85.9, 0.0),
        ("expm1", np.expm1, -200.0, 88.7),
        ("tanh", np.tanh, -200.0, 200.0),
        ("log", np.log, 1.2e-38, 200.0),
        ("log1p", np.log1p, 0.0, 1.0),
        ("erf", np.vectorize(math.erf), -200.0, 200.0),
    ],
)
def test_within_three_units_in_the_last_place(name, exact, low, high):
    x = _everywhere(low, high)
    worst = _ulps(_apply(name, x), exact(x.astype(np.float64)))
    at = int(worst.argmax())
    assert worst[at] <= 3.0, f"{name}({x[at]!r}) is {worst[at]:.2f} units off"


@pytest.mark.parametrize(
    ("name", "at_minus_infinity", "at_infinity"),
    [("exp", 0.0, math.inf), ("expm1", -1.0, math.inf), ("tanh", -1.0, 1.0), ("erf", -1.0, 1.0)],
)
def test_nan_and_infinities(name, at_minus_infinity, at_infinity):
    out = _apply(name, np.array([math.nan, -math.inf, math.inf, 0.0], np.float32))
    np.testing.assert_array_equal(out, [math.nan, at_minus_infinity, at_infinity, 1.0 if name == "exp" else 0.0])


def test_exp_below_zero_keeps_nan_and_ends_at_zero():
    out = _apply("exp_below_zero", np.array([math.nan, -math.inf, -1e30, -200.0, 0.0], np.float32))
    np.testing.assert_array_equal(out, [math.nan, 0.0, 0.0, 0.0, 1.0])


def test_the_logarithm_at_the_ends_of_its_range():
    out = _apply("log", np.array([math.nan, -1.0, 0.0, 1.0, math.inf], np.float32))
    np.testing.assert_array_equal(out, [math.nan, math.nan, -math.inf, 0.0, math.inf])
