"""conv3d, direct: any kernel size, stride, dilation, padding, groups and number of channels. See ``correlation.py``."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nb3d.kernels.case import OUT, Arrays, Case, Kernel
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.pieces import Bundle, Piece, Work, arrange, form_of
from nb3d.kernels.cpu.work import Runner, pack, scratch_of

# Channels and filters of groups so small that a vector holds several of them.
SMALL = {(1, 1), (1, 2), (2, 2), (1, 4), (2, 4), (4, 4)}


def accepts(case: Case) -> str | None:
    """Accepts every convolution of floats."""
    return why_not_floats(case, weights=(1,))


def slices(case: Case) -> tuple[int, ...]:
    """The output, unless a residual that lies otherwise is added."""
    return (OUT,) if case.inputs[3] == (0,) else ()


@lru_cache(maxsize=1024)
def _work(case: Case) -> Work:
    x, kernel, out = case.inputs[0], case.inputs[1], case.out
    strides, paddings, dilations = case.params[:3], case.params[3:6], case.params[6:9]
    taps = tuple(
        tuple((k, k * dilation - padding) for k in range(size))
        for size, dilation, padding in zip(kernel[:3], dilations, paddings, strict=True)
    )
    batch, sizes, counts, groups = x[0], x[1:4], out[1:4], case.params[9]
    if kernel[:3] == (1, 1, 1) and strides == (1, 1, 1) and sizes == counts and not any(paddings):
        # Voxels by themselves: one long row, which divides into tiles without a rest.
        batch, sizes, counts = 1, (1, 1, int(np.prod(x[:4]))), (1, 1, int(np.prod(out[:4])))
    seen, made = x[4] // groups, out[4] // groups
    spread = groups > 1 and (seen, made) in SMALL and made <= form_of(out[4], counts[2], case.out_dtype)[1]
    bundles = 1 if spread else groups
    filters = out[4] // bundles
    return arrange(
        Piece(
            dtype=case.out_dtype, batch=batch, sizes=sizes, channels=x[4], seen=seen, counts=counts, taps=taps,
            filters=filters, out_sizes=counts, out_channels=case.pitch(OUT), strides=strides,
            spread=(seen, made) if spread else (0, 0),
            bundles=tuple(Bundle(g * x[4] // groups, g * filters, g * filters) for g in range(bundles)),
        )
    )  # fmt: skip


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Packs the weights for the register tiles."""
    return inputs[0], pack((_work(case),), inputs[1]), *inputs[2:]


def scratch(case: Case, threads: int) -> int:
    """Every thread has its input rows and its table of runs."""
    return scratch_of((_work(case),), threads)


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    activation, alpha, beta = case.params[10:13]
    runner = Runner((_work(case),), activation, alpha, beta, residual=case.inputs[3] != (0,))

    def conv3d(x, kernel, bias, residual, out, scratch, *params):
        runner(x, kernel, bias, residual, out, scratch)

    return conv3d
