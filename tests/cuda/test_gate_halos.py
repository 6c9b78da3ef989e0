"""Convolutions with their halo in shared memory, assembled for every architecture: see ``gate.py``."""

from __future__ import annotations

from tests.cuda.gate import check, through
from tests.cuda.wheels import needed

pytestmark = needed


def chosen(item) -> bool:
    return item.source in ("conv_halo", "conv_mma", "conv_stem")


@through(chosen)
def test_registers_suffice_on_every_architecture(item):
    check(item)
