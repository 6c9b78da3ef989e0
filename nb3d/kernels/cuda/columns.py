"""Laying out a reduction over the middle of ``(outer, length, inner)``: see ``device/reduce.py``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.cuda.strides import flat, kind_of

THREADS = 256
RUN = 4096  # values of a column that one block takes
FILL = 512  # blocks that keep a large GPU busy


@dataclass(frozen=True)
class Columns:
    """Sizes before, along and behind the reduced axis."""

    outer: int
    length: int
    inner: int

    @property
    def count(self) -> int:
        """Columns: values that are left."""
        return self.outer * self.inner

    @property
    def lanes(self) -> int:
        """Columns of a block: 32 neighbours where there are so many, more where they are short."""
        return THREADS // min(_power(min(self.length, RUN)), THREADS // min(32, _power(self.inner)))

    @property
    def runs(self) -> int:
        """Parts that a column is divided into, so that few long columns keep many blocks busy."""
        longest = max(1, -(-self.length // RUN))
        return longest if longest > 1 and -(-self.count // self.lanes) < FILL else 1


def _power(size: int) -> int:
    return 1 << (max(size, 1) - 1).bit_length()


def partial_bytes(columns: Columns, total: str) -> int:
    """Returns the bytes of scratch that a reduction needs between its launches."""
    return columns.count * columns.runs * np.dtype(total).itemsize if columns.runs > 1 else 0


def reduction_program(op: str, dtype: str, total: str, out: str, lanes: int, along: bool) -> Program:
    """Returns the program that reduces columns, ``lanes`` of them in a block."""
    arguments = (f"{dtype}[]", f"{total}[]", f"{out}[]", *("int64",) * 2, *("int32",) * 2, *("int64",) * 2, total)
    return program("reduce", arguments, THREADS, op=op, total=total, lanes=lanes, along=along)


def launch_reduction(
    op: str, x: Array, columns: Columns, out: Array, total: str, scratch: Array, factor: float = 1.0,
    centre: Array | None = None, share: int = 1,
) -> None:  # fmt: skip
    """Launches a reduction.

    Args:
        op: What is reduced how: see ``device/reduce.py``.
        x: The values.
        columns: Their sizes.
        out: One value for every column.
        total: Dtype that is computed in.
        scratch: At least ``partial_bytes``.
        factor: What results are multiplied by.
        centre: For ``squares`` what distances are taken from, in the dtype of the total.
        share: Neighbouring columns that have one centre.
    """
    runs, partial = columns.runs, out
    run = -(-columns.length // runs)
    absent = Array(0, (0,), np.dtype(total))
    if runs > 1:
        partial = scratch.part(0, (columns.outer, runs, columns.inner), total)
    _launch(op, x, centre or absent, partial, columns, run, runs, share, 1.0 if runs > 1 else factor)
    if runs > 1:
        then = "sum" if op == "squares" else op
        _launch(then, partial, absent, out, Columns(columns.outer, runs, columns.inner), runs, 1, 1, factor)


def _launch(
    op: str, x: Array, centre: Array, out: Array, columns: Columns, run: int, runs: int, share: int, factor: float
) -> None:
    kinds = kind_of(x.dtype.name), centre.dtype.name, kind_of(out.dtype.name)
    item = reduction_program(op, *kinds, columns.lanes, columns.inner == 1)
    blocks = -(-columns.count // columns.lanes) * runs
    launch(
        item, (blocks,), flat(x, kinds[0]), centre, flat(out, kinds[2]), columns.count, columns.length, run, runs,
        columns.inner, share, np.dtype(kinds[1]).type(factor).item(),
    )  # fmt: skip
