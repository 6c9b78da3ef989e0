"""Maps along several axes, assembled for every architecture: see ``gate.py``."""

from __future__ import annotations

from tests.cuda.gate import axes, check, through
from tests.cuda.wheels import needed

pytestmark = needed


def chosen(item) -> bool:
    return axes(item) > 1


@through(chosen)
def test_registers_suffice_on_every_architecture(item):
    check(item)
