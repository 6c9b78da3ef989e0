"""A convolution with its halo in shared memory computes what the reference computes: see ``agreement.py``."""

from __future__ import annotations

from tests.cuda.agreement import check, through
from tests.cuda.wheels import needed

pytestmark = needed


def chosen(implementation, example) -> bool:
    return implementation.name in ("halo", "tf32", "tf32x3", "bf16", "stem")


@through(chosen)
def test_agrees_with_the_reference(implementation, example):
    check(implementation, example)
