"""Every implementation that accepts a case computes what the reference computes, on any number of threads."""

from __future__ import annotations

from collections.abc import Iterator

import numba
import pytest

from nb3d.kernels import table
from tests.kernels.cases import EXAMPLES
from tests.kernels.compare import assert_close, compute

PAIRS = [
    pytest.param(implementation, example, id=f"{implementation.name}: {example.name}")
    for example in EXAMPLES
    for implementation in table.implementations(example.case.op)
    if implementation.name != "reference" and implementation.accepts(example.case) is None
]


@pytest.fixture
def all_threads() -> Iterator[None]:
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


@pytest.mark.parametrize(("implementation", "example"), PAIRS)
def test_agrees_with_the_reference(implementation, example):
    reference = table.implementations(example.case.op)[-1]
    assert_close(example, compute(implementation, example), compute(reference, example))


@pytest.mark.parametrize(("implementation", "example"), PAIRS)
def test_bits_do_not_depend_on_the_number_of_threads(implementation, example, all_threads):
    results = []
    for threads in (1, 2, 3):
        numba.set_num_threads(threads)
        results.append(compute(implementation, example).tobytes())
    assert results[0] == results[1] == results[2]
