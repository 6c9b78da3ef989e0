"""Every kernel without a gate of its own, and the gate itself: see ``gate.py``."""

from __future__ import annotations

from tests.cuda import test_gate_halos, test_gate_maps, test_gate_tiles, test_gate_walks
from tests.cuda.gate import REGISTERS, TILES, check, number, programs, through
from tests.cuda.wheels import needed

pytestmark = needed
FILES = test_gate_halos, test_gate_maps, test_gate_tiles, test_gate_walks


@through(lambda item: not any(file.chosen(item) for file in FILES))
def test_registers_suffice_on_every_architecture(item):
    check(item)


def test_every_kernel_has_a_budget_and_is_seen():
    assert {item.source for item in programs()} == {*REGISTERS, *TILES}


def test_a_kernel_that_needs_memory_is_seen():
    """The assembler reports a stack where accumulators are walked with a variable index."""
    from nb3d.kernels.cuda.assembler import assemble
    from nb3d.kernels.cuda.door import compile_ptx, cuda

    def kernel(x, out):
        values = cuda.local.array(8, "float32")
        for i in range(8):
            values[i] = x[i]
        out[0] = values[int(x[9])]

    report = assemble(compile_ptx(kernel, ("float32[]", "float32[]"), 32, 1), "sm_80")[1]
    assert number(r"(\d+) bytes stack frame", report) > 0
