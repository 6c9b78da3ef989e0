"""Kernels, compiled and run by the interpreter, compute what the reference computes: which pairs, and the test."""

from __future__ import annotations

from functools import cache

import pytest

from nb3d.kernels.case import Implementation
from tests.cuda.interpreted import Interpreted, compute_on
from tests.cuda.precisions import expected
from tests.cuda.programs import pairs
from tests.kernels.cases import Example
from tests.kernels.compare import assert_close


@cache
def interpretable() -> tuple[tuple[Implementation, Example], ...]:
    """The pairs of a kernel and a case that an interpreter runs in seconds."""
    return tuple(pairs(most=6e5))


def through(chosen) -> pytest.MarkDecorator:
    """Parametrizes a test with the pairs that ``chosen`` says yes to."""
    found = [
        pytest.param(implementation, example, id=f"{implementation.name}: {example.name}")
        for implementation, example in interpretable()
        if chosen(implementation, example)
    ]
    return pytest.mark.parametrize(("implementation", "example"), found)


def check(implementation: Implementation, example: Example) -> None:
    result = compute_on(Interpreted(), implementation, example)
    assert_close(example, result, expected(implementation.name, example))
