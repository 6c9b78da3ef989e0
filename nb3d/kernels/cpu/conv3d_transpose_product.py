"""conv3d_transpose whose stride is its kernel, as one matrix product whose columns go to several voxels.

Every input voxel makes ``kd * kh * kw`` output voxels of its own: ``out[i * k + t] = x[i] * kernel[t]``. The taps of
one row, ``kw`` voxels of ``co`` filters, lie side by side in the output, so they are ``kw * co`` filters of one
product, full vectors for few filters too; the ``kd * kh`` rows are bundles of filters with places of their own. The
input is read once, every output row written once, by the task and the tiles of ``correlation.py``. If the output is a
slice of channels, every tap is such a bundle.

Measured, 2x2x2 on one core of a Zen 4, and in brackets by ``conv3d_transpose_phases.py``, which reads the input eight
times: 32^3 voxels of 16 channels to 8 filters 0.88 ms (1.26), to 2 filters 0.48 ms (1.10), of 64 to 32 14.1 ms (15.7);
66 % of peak, half of which went to writing 33 MB: sent around the caches, on two cores, 5.5 ms instead of 8.0.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nb3d.kernels.case import OUT, Arrays, Case, Kernel
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.pieces import Bundle, Piece, Work, arrange
from nb3d.kernels.cpu.work import Runner, pack, scratch_of

HERE = (((0, 0),),) * 3


def accepts(case: Case) -> str | None:
    """Accepts transposed convolutions whose kernels do not meet, and cover the output."""
    window, strides = case.inputs[1][:3], case.params[:3]
    if window != strides or case.params[3:6] != (0, 0, 0):
        return "its stride must be its kernel, without padding"
    if any(d > 1 < k for d, k in zip(case.params[6:9], window, strict=True)):
        return "its kernel must have no dilation"
    if any(out != n * s for out, n, s in zip(case.out[1:4], case.inputs[0][1:4], strides, strict=True)):
        return "its kernels must cover the output"
    return why_not_floats(case, weights=(1, 2))


def slices(case: Case) -> tuple[int, ...]:
    """The output."""
    return (OUT,)


@lru_cache(maxsize=1024)
def _work(case: Case) -> Work:
    (batch, *sizes, channels), (kd, kh, kw, filters, _) = case.inputs[:2]
    depth, height, width = case.out[1:4]
    pitch = case.pitch(OUT)
    row, taps = width * pitch, kw if pitch == filters else 1  # that lie side by side
    return arrange(
        Piece(
            dtype=case.out_dtype, batch=batch, sizes=tuple(sizes), channels=channels, seen=channels,
            counts=tuple(sizes), taps=HERE, filters=taps * filters, out_sizes=(depth, height, sizes[2]),
            out_channels=kw * pitch, out_strides=(kd, kh, 1),
            bundles=tuple(
                Bundle(place=(d * height + h) * row + w * pitch)
                for d in range(kd) for h in range(kh) for w in range(0, kw, taps)
            ),
        )
    )  # fmt: skip


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Packs the weights ``(kd, kh, kw, co, ci)`` as those of ``kd * kh * kw * co`` filters, the bias ``kw`` times."""
    x, kernel, bias = inputs
    filters = kernel.transpose(4, 0, 1, 2, 3).reshape(1, 1, 1, kernel.shape[4], -1)
    return x, pack((_work(case),), filters), np.tile(bias, kernel.shape[2])


def scratch(case: Case, threads: int) -> int:
    """Only the table of runs."""
    return scratch_of((_work(case),), threads)


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    activation, alpha, beta = case.params[9:12]
    runner = Runner((_work(case),), activation, alpha, beta)

    def conv3d_transpose(x, kernel, bias, out, scratch, *params):
        runner(x, kernel, bias, scratch[:0], out, scratch)

    return conv3d_transpose
