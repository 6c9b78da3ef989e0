"""dense: a matrix product in register tiles, the weights packed once.

The rows are one long row of voxels for ``correlation.py``: a 1x1x1 convolution. With one or two rows it reads every
weight once and is bound by memory; filters are then divided over the threads.
"""

from __future__ import annotations

from functools import lru_cache

from nb3d.kernels.case import Arrays, Case, Kernel
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.pieces import Piece, Work, arrange
from nb3d.kernels.cpu.work import Runner, pack, scratch_of

HERE = (((0, 0),),) * 3


def accepts(case: Case) -> str | None:
    """Accepts every product of floats."""
    return why_not_floats(case, weights=(1,))


@lru_cache(maxsize=1024)
def _work(case: Case) -> Work:
    (rows, channels), filters = case.inputs[0], case.out[1]
    volume = (1, 1, rows)
    return arrange(
        Piece(
            dtype=case.out_dtype, batch=1, sizes=volume, channels=channels, seen=channels, counts=volume, taps=HERE,
            filters=filters, out_sizes=volume, out_channels=filters,
        )
    )  # fmt: skip


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Packs the weights for the register tiles."""
    return inputs[0], pack((_work(case),), inputs[1][None, None, None]), inputs[2]


def scratch(case: Case, threads: int) -> int:
    """Only the table of runs."""
    return scratch_of((_work(case),), threads)


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    activation, alpha, beta = case.params
    runner = Runner((_work(case),), activation, alpha, beta)

    def dense(x, kernel, bias, out, scratch, *params):
        runner(x, kernel, bias, scratch[:0], out, scratch)

    return dense
