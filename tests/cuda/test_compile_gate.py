"""Every kernel, assembled for every architecture without a GPU: nothing is in memory that belongs in registers."""

from __future__ import annotations

import re

import pytest

from nb3d.kernels.activations import Activation
from nb3d.kernels.cuda.conv3d_tile import TILES, tile_program
from tests.cuda.programs import launches_of, pairs
from tests.cuda.wheels import needed

pytestmark = needed

# Bytes of shared memory that a block may have.
ARCHITECTURES = {"sm_80": 163, "sm_86": 99, "sm_89": 99, "sm_90a": 227, "sm_120": 99}

# Source -> registers of a thread at most, on any architecture.
REGISTERS = {
    "strided": 64, "pool": 96, "reduce": 64, "softmax": 80, "conv_plain": 96, "conv_tile": 168, "conv_halo": 168,
    "conv_mma": 168, "normalize": 64, "matmul": 168, "upsample_linear": 96, "position": 48, "running": 48, "gather": 48,
    "rank": 48,
}  # fmt: skip

LARGE_TILES = {
    tile_program(tile, vector, whole, residual=True, code=int(Activation.SILU))
    for tile in TILES
    for vector, whole in ((1, False), (4, True))
}
PROGRAMS = sorted(
    {launch.program for pair in pairs(most=1e12) for launch in launches_of(*pair)} | LARGE_TILES,
    key=lambda item: item.name,
)
KINDS = sorted({item.source for item in PROGRAMS})


def number(pattern: str, report: str) -> int:
    return max((int(found) for found in re.findall(pattern, report)), default=0)


@pytest.mark.parametrize("item", PROGRAMS, ids=lambda item: item.name)
def test_registers_suffice_on_every_architecture(item):
    from nb3d.kernels.cuda.driver import assemble

    for architecture, kilobytes in ARCHITECTURES.items():
        code, report = assemble(item.ptx(), architecture)
        assert code[:4] == b"\x7fELF"
        assert "Compiling entry function" in report, "the report has changed its form"
        assert number(r"(\d+) bytes stack frame", report) == 0, report
        assert number(r"(\d+) bytes spill", report) == 0, report
        assert 0 < number(r"[Uu]sed (\d+) registers", report) <= REGISTERS[item.source], report
        assert number(r"(\d+) bytes smem", report) + item.shared <= kilobytes * 1024, report


def test_every_kernel_has_a_budget_and_is_seen():
    assert set(KINDS) == set(REGISTERS)


def test_a_kernel_that_needs_memory_is_seen():
    """The assembler reports a stack where accumulators are walked with a variable index."""
    from nb3d.kernels.cuda.door import compile_ptx, cuda
    from nb3d.kernels.cuda.driver import assemble

    def kernel(x, out):
        values = cuda.local.array(8, "float32")
        for i in range(8):
            values[i] = x[i]
        out[0] = values[int(x[9])]

    report = assemble(compile_ptx(kernel, ("float32[]", "float32[]"), 32, 1), "sm_80")[1]
    assert number(r"(\d+) bytes stack frame", report) > 0
