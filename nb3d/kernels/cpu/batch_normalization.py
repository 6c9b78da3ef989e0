"""batch_normalization along any axis: statistics are known, so it is one pass of ``affine.py``."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import OUT, Arrays, Case, Kernel
from nb3d.kernels.cpu.affine import LONG, Affine, repetitions
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.operands import why_not_floats


def accepts(case: Case) -> str | None:
    """Accepts floats, with statistics that are known."""
    return why_not_floats(case, weights=(1, 2, 3, 4))


def overwrites(case: Case) -> tuple[int, ...]:
    """Its input: every value is read before it is written."""
    return (0,)


def slices(case: Case) -> tuple[int, ...]:
    """The output, if the channels are last."""
    return (OUT,) if _sizes(case)[2] == 1 else ()


def _sizes(case: Case) -> tuple[int, int, int]:
    """Returns ``(outer, channels, inner)``."""
    axis = case.params[1] % len(case.out)
    outer, inner = (int(np.prod(part, dtype=np.int64)) for part in (case.out[:axis], case.out[axis + 1 :]))
    return outer, case.out[axis], inner


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Turns the statistics into tables: one of all channels in turn, or one of each where its values form long runs."""
    x, mean, variance, offset, scale = inputs
    _, channels, inner = _sizes(case)
    with np.errstate(all="ignore"):
        factor = 1.0 / np.sqrt(variance.astype(np.float64) + case.params[0])
        factor = factor * scale if scale.size else factor
    rows = np.stack([mean, factor, offset if offset.size else np.zeros(channels)])
    if inner >= LONG:
        tables = np.repeat(rows.T, LONG, axis=1)
    else:
        tables = np.tile(np.repeat(rows, inner, axis=1), repetitions(channels * inner))
    return x, tables.astype(x.dtype), variance, offset, scale


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    outer, channels, inner = _sizes(case)
    epilogue = case.params[2:]
    if inner >= LONG:
        write = Affine(case, outer * channels, inner, LONG, channels, epilogue)
    else:
        period = channels * inner * repetitions(channels * inner)
        write = Affine(case, 1, outer * channels * inner, period, 1, epilogue)

    def batch_normalization(x, tables, _variance, _offset, _scale, out, scratch, *params):
        write(address(x), address(out), address(tables))

    return batch_normalization
