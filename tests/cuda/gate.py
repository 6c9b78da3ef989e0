"""The gate that every kernel passes without a GPU: assembled, with nothing in memory that belongs in registers."""

from __future__ import annotations

import re
from functools import cache

import pytest

from nb3d.kernels.activations import Activation
from nb3d.kernels.cuda.conv3d_mma import BF16, FILTERS, TF32, TF32X3, mma_program
from nb3d.kernels.cuda.halos import TILE_KINDS
from nb3d.kernels.cuda.program import Program
from nb3d.kernels.cuda.tiles import tile_program
from tests.cuda.programs import launches_of, pairs

# Bytes of shared memory that a block may have.
ARCHITECTURES = {"sm_80": 163, "sm_86": 99, "sm_89": 99, "sm_90a": 227, "sm_120": 99}

# Source -> registers of a thread at most, on any architecture. Convolutions by tiles promise how many of their blocks
# are on a multiprocessor instead.
REGISTERS = {
    "strided": 64, "pool": 96, "reduce": 64, "softmax": 80, "conv_plain": 96, "normalize": 64, "matmul": 168,
    "upsample_linear": 96, "position": 48, "running": 48, "gather": 48, "rank": 48, "combine": 64,
}  # fmt: skip
TILES = ("conv_tile", "conv_halo", "conv_mma")
FILE = 2**16  # registers of a multiprocessor


@cache
def programs() -> tuple[Program, ...]:
    """Every program that the table of cases asks for, each once, and the blocks that only large launches take."""
    code = int(Activation.SILU)
    large = {
        tile_program(kind, tile, vector, code) for kind in TILE_KINDS for tile in kind.tiles for vector in (1, 4)
    }
    large |= {mma_program(kind, filters, (3, 3, 3), code) for kind in (TF32, TF32X3, BF16) for filters in FILTERS}
    asked = {launch.program for pair in pairs(most=1e12) for launch in launches_of(*pair)}
    return tuple(sorted(asked | large, key=lambda item: item.name))


def axes(item: Program) -> int:
    """The axes that a map walks along; 0 for other kernels."""
    return int(dict(item.variant).get("axes", 0))


def through(chosen) -> pytest.MarkDecorator:
    """Parametrizes a test with the programs that ``chosen`` says yes to."""
    return pytest.mark.parametrize("item", [*filter(chosen, programs())], ids=lambda item: item.name)


def number(pattern: str, report: str) -> int:
    return max((int(found) for found in re.findall(pattern, report)), default=0)


def check(item: Program) -> None:
    """From one PTX: a stack, a spill, a register or a byte of shared memory too much is an error."""
    from nb3d.kernels.cuda.assembler import assemble

    most = FILE // (item.threads * item.resident) if item.source in TILES else REGISTERS[item.source]
    for architecture, kilobytes in ARCHITECTURES.items():
        code, report = assemble(item.ptx(), architecture)
        assert code[:4] == b"\x7fELF"
        assert "Compiling entry function" in report, "the report has changed its form"
        assert number(r"(\d+) bytes stack frame", report) == 0, report
        assert number(r"(\d+) bytes spill", report) == 0, report
        assert 0 < number(r"[Uu]sed (\d+) registers", report) <= most, report
        assert number(r"(\d+) bytes smem", report) + item.shared <= kilobytes * 1024, report
