"""A convolution by tiles computes what the reference computes: see ``agreement.py``."""

from __future__ import annotations

from tests.cuda.agreement import check, through
from tests.cuda.wheels import needed

pytestmark = needed


def chosen(implementation, example) -> bool:
    return implementation.name == "tile"


@through(chosen)
def test_agrees_with_the_reference(implementation, example):
    check(implementation, example)
