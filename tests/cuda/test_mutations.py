"""A kernel with one line less is found out: a barrier, a wait for a copy, the zeros outside the volume."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nb3d.kernels import table
from tests.cuda.divided import divide
from tests.cuda.interpreted import Interpreted, compute_on
from tests.cuda.precisions import expected
from tests.cuda.ptx.memory import Fault
from tests.cuda.wheels import needed
from tests.kernels.cases import conv
from tests.kernels.compare import assert_close
from tests.kernels.example import plain
from tests.kernels.normalization_cases import normalization

pytestmark = needed
EXAMPLE = conv((3, 4, 9), 20, 36, residual=True)  # tiles of 64: sums lie over other warps' operands
FEW = conv((3, 4, 9), 3, 36, residual=True)  # for the kernel of few channels
KERNELS = [item for item in table.implementations("conv3d", "cuda") if item.name not in ("plain", "depthwise")]
BARRIER, WAIT = re.compile(r"bar\.sync[^;]*;"), re.compile(r"cp\.async\.wait_group[^;]*;")
COPIES = re.compile(r"(cp\.async\.c[ag]\.shared\.global \[%r\d+\], \[%rd\d+\], (\d+)), %r\d+")


def without_one(pattern: re.Pattern[str], which: int):
    def edit(ptx: str) -> str:
        for number, found in enumerate(pattern.finditer(ptx)):
            if number == which:
                return ptx[: found.start()] + ptx[found.end() :]
        return ptx  # of a second kernel

    return edit


def without_zeros(ptx: str) -> str:
    return COPIES.sub(r"\1, \2", ptx)


def example_for(implementation):
    return FEW if implementation.name == "stem" else EXAMPLE


def is_found(implementation, edit, example=None) -> bool:
    """Whether the interpreter or the result tells."""
    example = example or example_for(implementation)
    try:
        result = compute_on(Interpreted(edit=edit), implementation, example)
        assert_close(example, result, expected(implementation.name, example))
    except (Fault, AssertionError):
        return True
    return False


# Kernels with barriers that are no convolutions, and how many of their barriers divide warps: the last steps of a tree
# are those of one warp, whose threads the interpreter runs together.
OTHERS = [
    pytest.param(table.implementations(example.case.op, "cuda")[0], example, dividing, id=example.case.op)
    for dividing, example in (
        (2, plain("sum", ((2, 300, 3),), (2, 3), ((1,),), length=300)),
        (3, plain("argmax", ((2, 300, 3),), (2, 3), (1,), out_dtype="int64")),
        (2, plain("matmul", ((2, 20, 40), (2, 40, 70)), (2, 20, 70), length=40)),
        (4, normalization((2, 300), 1)),
    )
]


@pytest.mark.parametrize(("implementation", "example", "dividing"), OTHERS)
class TestOtherMutations:
    def test_every_barrier_between_warps_that_is_missing_is_found(self, implementation, example, dividing):
        assert not is_found(implementation, lambda ptx: ptx, example)
        count = len(BARRIER.findall(_ptx(implementation, example)))
        found = [is_found(implementation, without_one(BARRIER, which), example) for which in range(count)]
        assert sum(found) == dividing, found

    def test_results_do_not_depend_on_the_order_of_warps(self, implementation, example, dividing):
        first, second = (compute_on(Interpreted(seed), implementation, example) for seed in (None, 1))
        np.testing.assert_array_equal(first, second)


@pytest.fixture
def undivided(monkeypatch):
    """Several chunks in one block: their barriers matter only there."""
    divide(monkeypatch, 1, 100)


@pytest.mark.usefixtures("undivided")
@pytest.mark.parametrize("implementation", KERNELS, ids=lambda item: item.name)
class TestMutations:
    def test_none_is_none(self, implementation):
        assert not is_found(implementation, lambda ptx: ptx)

    def test_every_barrier_that_is_missing_is_found(self, implementation):
        ptx = _ptx(implementation)
        assert COPIES.search(ptx)
        for which in range(len(BARRIER.findall(ptx))):
            assert is_found(implementation, without_one(BARRIER, which)), f"barrier {which}"

    def test_no_wait_at_all_is_found(self, implementation):
        assert is_found(implementation, lambda ptx: WAIT.sub("", ptx))

    def test_no_zeros_outside_are_found(self, implementation):
        assert is_found(implementation, without_zeros)

    def test_results_do_not_depend_on_the_order_of_warps(self, implementation):
        example = example_for(implementation)
        first, second = (compute_on(Interpreted(seed), implementation, example) for seed in (None, 1))
        np.testing.assert_array_equal(first, second)


def _ptx(implementation, example=None) -> str:
    seen, example = [], example or example_for(implementation)
    compute_on(Interpreted(edit=lambda ptx: (seen.append(ptx), ptx)[1]), implementation, example)
    return seen[0]
