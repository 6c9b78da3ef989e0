"""Every CUDA kernel, compiled and run by the interpreter, computes what the reference computes."""

from __future__ import annotations

import pytest

from nb3d.kernels import table
from tests.cuda.interpreted import Interpreted, compute_on
from tests.cuda.programs import pairs
from tests.cuda.wheels import needed
from tests.kernels.compare import assert_close, compute

pytestmark = needed
PAIRS = [
    pytest.param(implementation, example, id=f"{implementation.name}: {example.name}")
    for implementation, example in pairs(most=5e6)
]


@pytest.mark.parametrize(("implementation", "example"), PAIRS)
def test_agrees_with_the_reference(implementation, example):
    reference = table.implementations(example.case.op)[-1]
    assert_close(example, compute_on(Interpreted(), implementation, example), compute(reference, example))
