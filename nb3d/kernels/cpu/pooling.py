"""max_pool3d and average_pool3d: per output voxel the taps inside the volume, folded into the output.

A task is one output row; the channels of a voxel are the vector. Output and taps of a voxel lie in L1, every input
voxel is read from memory once as long as windows do not overlap. Bound by memory from 16 channels on.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import Native, task
from nb3d.kernels.cpu.launch import launch, workers_for
from nb3d.kernels.cpu.memory import pointer
from nb3d.kernels.cpu.operands import why_not_floats

X, TO, ID, IH, IW, C, OD, OH, OW, KD, KH, KW, SD, SH, SW, PD, PH, PW = range(18)


def accepts(case: Case) -> str | None:
    """Accepts every pooling of floats."""
    return why_not_floats(case)


@cache
def _pool(maximum: bool, dtype: str) -> Native:
    kind, size = np.dtype(dtype).type, np.dtype(dtype).itemsize

    @task
    def pool(words, numbers, index, worker):
        channels, length = words[C], words[OW]
        y = index % words[OH]
        z = index // words[OH] % words[OD]
        n = index // (words[OH] * words[OD])
        z, y = z * words[SD] - words[PD], y * words[SH] - words[PH]
        z0, z1 = max(z, 0), min(z + words[KD], words[ID])
        y0, y1 = max(y, 0), min(y + words[KH], words[IH])
        out = pointer(words[TO] + index * length * channels * size, kind)
        x = pointer(words[X], kind)
        for w in range(length):
            first = w * words[SW] - words[PW]
            x0, x1 = max(first, 0), min(first + words[KW], words[IW])
            o = w * channels
            for c in range(channels):
                out[o + c] = kind(-np.inf) if maximum else kind(0.0)
            for i in range(z0, z1):
                for j in range(y0, y1):
                    for k in range(x0, x1):
                        at = (((n * words[ID] + i) * words[IH] + j) * words[IW] + k) * channels
                        if maximum:
                            for c in range(channels):
                                value, most = x[at + c], out[o + c]
                                out[o + c] = value if (value > most) | (value != value) else most
                        else:
                            for c in range(channels):
                                out[o + c] += x[at + c]
            if not maximum:
                voxels = kind(max(z1 - z0, 0) * max(y1 - y0, 0) * max(x1 - x0, 0))
                for c in range(channels):
                    out[o + c] /= voxels

    return pool


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    n, od, oh, ow, channels = case.out
    task = _pool(case.op == "max_pool3d", case.out_dtype).address
    sizes = [*case.inputs[0][1:4], channels, od, oh, ow, *case.params]
    workers = workers_for(int(np.prod(case.inputs[0], dtype=np.int64)) * np.dtype(case.out_dtype).itemsize)
    numbers = np.zeros(1)

    def pool3d(x, out, scratch, *params):
        launch(task, np.array([address(x), address(out), *sizes], np.int64), numbers, n * od * oh, workers)

    return pool3d
