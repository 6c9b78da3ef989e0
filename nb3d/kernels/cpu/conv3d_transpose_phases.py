"""conv3d_transpose by phases: for every residue of the output voxels modulo the stride, a plain convolution.

An output voxel ``o`` gets ``x[i] * kernel[k]`` where ``i * stride + k * dilation - padding == o``. Voxels
``o = phase + stride * j`` are met by the same taps, with ``i = j + (phase + padding - k * dilation) / stride``: a
convolution of stride 1 with a subset of the taps, whose outputs lie ``stride`` voxels apart. No zeros are inserted, no
product is computed twice. Runs through ``correlation.py``, one launch per phase.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

from nb3d.kernels.case import OUT, Arrays, Case, Kernel
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.pieces import Piece, Taps, Work, arrange
from nb3d.kernels.cpu.work import Runner, pack, scratch_of

NOWHERE = -(1 << 40)  # an offset beyond every volume: the voxels of a phase without taps are zero before the bias


def accepts(case: Case) -> str | None:
    """Accepts every transposed convolution of floats."""
    return why_not_floats(case, weights=(1,))


def slices(case: Case) -> tuple[int, ...]:
    """The output."""
    return (OUT,)


def phase_taps(phase: int, window: int, stride: int, padding: int, dilation: int) -> Taps:
    """Returns the taps of one axis that reach the output voxels of a phase, by growing offset in the input."""
    reach = ((k, phase + padding - k * dilation) for k in range(window))
    return tuple(sorted(((k, r // stride) for k, r in reach if r % stride == 0), key=lambda tap: tap[1]))


@lru_cache(maxsize=1024)
def _works(case: Case) -> tuple[Work, ...]:
    x, kernel, out = case.inputs[0], case.inputs[1], case.out
    strides, paddings, dilations = case.params[:3], case.params[3:6], case.params[6:9]
    works = []
    for phases in product(*(range(min(s, n)) for s, n in zip(strides, out[1:4], strict=True))):
        taps = tuple(map(phase_taps, phases, kernel[:3], strides, paddings, dilations))
        if not all(taps):
            taps = (((0, NOWHERE),), ((0, 0),), ((0, 0),))
        counts = tuple(-(-(n - p) // s) for n, p, s in zip(out[1:4], phases, strides, strict=True))
        works.append(
            arrange(
                Piece(
                    dtype=case.out_dtype, batch=x[0], sizes=x[1:4], channels=x[4], seen=x[4], counts=counts, taps=taps,
                    filters=out[4], out_sizes=out[1:4], out_channels=case.pitch(OUT), out_strides=strides,
                    out_first=phases,
                )
            )
        )  # fmt: skip
    return tuple(works)


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Packs the weights of every phase, its filters last."""
    return inputs[0], pack(_works(case), inputs[1].swapaxes(3, 4)), inputs[2]


def scratch(case: Case, threads: int) -> int:
    """Phases run one after the other and share it."""
    return scratch_of(_works(case), threads)


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    activation, alpha, beta = case.params[9:12]
    runner = Runner(_works(case), activation, alpha, beta)

    def conv3d_transpose(x, kernel, bias, out, scratch, *params):
        runner(x, kernel, bias, scratch[:0], out, scratch)

    return conv3d_transpose
