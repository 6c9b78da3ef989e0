"""Runs one implementation on one example, as a plan would."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import Implementation
from tests.kernels.cases import Example

THREADS = 8


def compute(implementation: Implementation, example: Example) -> np.ndarray:
    """Returns what the implementation makes of the example; its scratch is dirty and no larger than it asked for."""
    case, inputs, out = example.case, example.inputs(), example.out()
    scratch = np.full(implementation.scratch(case, THREADS), 0xAB, np.uint8)
    kernel = implementation.load(case)
    kernel(*implementation.prepare(case, inputs), out, scratch, *_fresh(case.params))
    return out


def _fresh(params):
    """A generator starts anew, so that a random operation gives the same twice."""
    return tuple(np.random.default_rng(3) if isinstance(p, np.random.Generator) else p for p in params)


def assert_close(example: Example, actual: np.ndarray, expected: np.ndarray) -> None:
    """NaN and infinities in the same places, everything else within rounding."""
    relative, absolute = example.tolerance()
    np.testing.assert_allclose(actual, expected, rtol=relative, atol=absolute, equal_nan=True)
