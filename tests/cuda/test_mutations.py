"""A kernel with one line less is found out: a barrier, a wait for a copy, the zeros outside the volume."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nb3d.kernels import table
from tests.cuda.interpreted import Interpreted, compute_on
from tests.cuda.precisions import expected
from tests.cuda.ptx.memory import Fault
from tests.cuda.wheels import needed
from tests.kernels.cases import conv
from tests.kernels.compare import assert_close

pytestmark = needed
EXAMPLE = conv((3, 4, 9), 20, 36, residual=True)  # tiles of 64: sums lie over other warps' operands
KERNELS = [item for item in table.implementations("conv3d", "cuda") if item.name != "plain"]
BARRIER, WAIT = re.compile(r"bar\.sync[^;]*;"), re.compile(r"cp\.async\.wait_group[^;]*;")
COPIES = re.compile(r"(cp\.async\.c[ag]\.shared\.global \[%r\d+\], \[%rd\d+\], (\d+)), %r\d+")


def without_one(pattern: re.Pattern[str], which: int):
    def edit(ptx: str) -> str:
        found = list(pattern.finditer(ptx))[which]
        return ptx[: found.start()] + ptx[found.end() :]

    return edit


def without_zeros(ptx: str) -> str:
    changed, count = COPIES.subn(r"\1, \2", ptx)
    assert count
    return changed


def is_found(implementation, edit) -> bool:
    """Whether the interpreter or the result tells."""
    try:
        result = compute_on(Interpreted(edit=edit), implementation, EXAMPLE)
        assert_close(EXAMPLE, result, expected(implementation.name, EXAMPLE))
    except (Fault, AssertionError):
        return True
    return False


@pytest.mark.parametrize("implementation", KERNELS, ids=lambda item: item.name)
class TestMutations:
    def test_none_is_none(self, implementation):
        assert not is_found(implementation, lambda ptx: ptx)

    def test_every_barrier_that_is_missing_is_found(self, implementation):
        ptx = _ptx(implementation)
        for which in range(len(BARRIER.findall(ptx))):
            assert is_found(implementation, without_one(BARRIER, which)), f"barrier {which}"

    def test_no_wait_at_all_is_found(self, implementation):
        assert is_found(implementation, lambda ptx: WAIT.sub("", ptx))

    def test_no_zeros_outside_are_found(self, implementation):
        assert is_found(implementation, without_zeros)

    def test_results_do_not_depend_on_the_order_of_warps(self, implementation):
        first, second = (compute_on(Interpreted(seed), implementation, EXAMPLE) for seed in (None, 1))
        np.testing.assert_array_equal(first, second)


def _ptx(implementation) -> str:
    seen = []
    compute_on(Interpreted(edit=lambda ptx: (seen.append(ptx), ptx)[1]), implementation, EXAMPLE)
    return seen[0]
