"""The gate that every kernel passes without a GPU: assembled, with nothing in memory that belongs in registers."""

from __future__ import annotations

import re

import pytest

from nb3d.kernels.activations import Activation
from nb3d.kernels.cuda.conv3d_mma import BF16, FILTERS, TF32, TF32X3, mma_program
from nb3d.kernels.cuda.conv3d_stem import stem_program
from nb3d.kernels.cuda.halos import TILE_KINDS
from nb3d.kernels.cuda.program import Program
from nb3d.kernels.cuda.tile_launches import tile_program
from tests.cuda.programs import launches_of, pairs
from tests.cuda.wheels import needed
from tests.kernels.cases import conv

pytestmark = needed

# Bytes of shared memory that a block may have.
ARCHITECTURES = {"sm_80": 163, "sm_86": 99, "sm_89": 99, "sm_90a": 227, "sm_120": 99}

# Source -> registers of a thread at most, on any architecture.
REGISTERS = {
    "strided": 64, "pool": 96, "reduce": 64, "softmax": 80, "conv_plain": 96, "normalize": 64, "matmul": 168,
    "upsample_linear": 96, "position": 48, "running": 48, "gather": 48, "rank": 48, "combine": 64, "conv_tile": 168,
    "conv_halo": 168, "conv_mma": 168, "conv_stem": 168, "conv_depthwise": 128,
}  # fmt: skip
STEMS = [
    conv(sizes, channels, 64, kernel, strides).case
    for sizes, channels, kernel, strides in (
        ((16, 56, 56), 3, (3, 7, 7), (1, 2, 2)), ((16, 16, 16), 1, (7, 7, 7), (1, 1, 1)),
        ((16, 16, 16), 2, (5, 5, 5), (1, 1, 1)), ((16, 16, 16), 3, (3, 3, 3), (1, 1, 1)),
        ((16, 16, 16), 4, (3, 3, 3), (1, 1, 1)), ((16, 16, 16), 4, (3, 3, 3), (2, 2, 2)),
    )
]  # fmt: skip
FILE = 2**16  # registers of a multiprocessor


def programs() -> tuple[Program, ...]:
    """Every program that the table of cases asks for, each once, and the blocks that only large launches take."""
    code = int(Activation.SILU)
    large = {
        tile_program(kind, tile, vector, code) for kind in TILE_KINDS for tile in kind.tiles for vector in (1, 4)
    }
    large |= {mma_program(kind, filters, (3, 3, 3), code) for kind in (TF32, TF32X3, BF16) for filters in FILTERS}
    large |= {stem_program(case, code) for case in STEMS}
    asked = {launch.program for pair in pairs(most=1e12) for launch in launches_of(*pair)}
    return tuple(sorted(asked | large, key=lambda item: item.name))


def number(pattern: str, report: str) -> int:
    return max((int(found) for found in re.findall(pattern, report)), default=0)


def _is_wide(item: Program) -> bool:
    """Whether two large blocks of tensor cores fill a multiprocessor: twice the sums, or twice the weights."""
    variant = dict(item.variant)
    split_tile = (variant.get("kind"), variant.get("rows"), variant.get("columns")) == ("tf32x3", 128, 64)
    return item.resident == 2 and (variant.get("filters") == 64 or split_tile)


PROGRAMS = programs()


@pytest.mark.parametrize("item", PROGRAMS, ids=lambda item: item.name)
def test_registers_suffice_on_every_architecture(item):
    """From one PTX: a stack, a spill, a register or a byte of shared memory too much is an error."""
    from nb3d.kernels.cuda.assembler import assemble

    most = FILE // (2 * item.threads) if _is_wide(item) else REGISTERS[item.source]
    for architecture, kilobytes in ARCHITECTURES.items():
        code, report = assemble(item.ptx(), architecture)
        assert code[:4] == b"\x7fELF"
        assert "Compiling entry function" in report, "the report has changed its form"
        assert number(r"(\d+) bytes stack frame", report) == 0, report
        assert number(r"(\d+) bytes spill", report) == 0, report
        assert 0 < number(r"[Uu]sed (\d+) registers", report) <= most, report
        assert number(r"(\d+) bytes smem", report) + item.shared <= kilobytes * 1024, report


def test_every_kernel_has_a_budget_and_is_seen():
    assert {item.source for item in PROGRAMS} == set(REGISTERS)


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
