"""pad3d and crop3d, of any dtype: every output row is zeros, or a stretch of an input row between zeros.

A task is one output row. Bound by memory.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import task
from nb3d.kernels.cpu.launch import launch, workers_for
from nb3d.kernels.cpu.memory import clear, copy

# D, H, W: how far the output's first voxel lies behind the input's, negative where it is padded.
X, TO, ID, IH, IW, OD, OH, OW, VOXEL, D, H, W = range(12)


def accepts(case: Case) -> str | None:
    """Accepts everything that has values."""
    if 0 in case.out or 0 in case.inputs[0]:
        return "an array is empty"
    return None if case.dtypes == (case.out_dtype,) else "copies values of one dtype only"


@task
def _window(words, numbers, index, worker):
    y = index % words[OH] + words[H]
    z = index // words[OH] % words[OD] + words[D]
    n = index // (words[OH] * words[OD])
    voxel, length = words[VOXEL], words[OW]
    to = words[TO] + index * length * voxel
    if z < 0 or z >= words[ID] or y < 0 or y >= words[IH]:
        clear(to, length * voxel)
        return
    source = words[X] + ((n * words[ID] + z) * words[IH] + y) * words[IW] * voxel
    left = min(max(-words[W], 0), length)
    inside = max(min(length - left, words[IW] - (words[W] + left)), 0)
    clear(to, left * voxel)
    copy(to + left * voxel, source + (words[W] + left) * voxel, inside * voxel)
    clear(to + (left + inside) * voxel, (length - left - inside) * voxel)


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    task, itemsize = _window.address, np.dtype(case.out_dtype).itemsize
    n, *out, channels = case.out
    shift = [-before if case.op == "pad3d" else before for before in case.params]
    sizes = [*case.inputs[0][1:4], *out, channels * itemsize, *shift]
    workers, numbers = workers_for(int(np.prod(case.out, dtype=np.int64)) * itemsize), np.zeros(1)

    def window(x, out, scratch, *params):
        words = np.array([address(x), address(out), *sizes], np.int64)
        launch(task, words, numbers, n * case.out[1] * case.out[2], workers)

    return window
