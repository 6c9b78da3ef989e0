"""Every implementation that accepts a case computes what the reference computes."""

from __future__ import annotations

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


@pytest.mark.parametrize(("implementation", "example"), PAIRS)
def test_agrees_with_the_reference(implementation, example):
    reference = table.implementations(example.case.op)[-1]
    assert_close(example, compute(implementation, example), compute(reference, example))
