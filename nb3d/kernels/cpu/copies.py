"""Kernels that only move bytes, of any dtype: ``concatenate`` along any axis, ``upsample3d``."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import task
from nb3d.kernels.cpu.launch import launch, workers_for
from nb3d.kernels.cpu.memory import copy

# concatenate: words of the task, then (address, bytes of a run) of every input
OUT, RUNS, BLOCK, INPUTS, FIRST = range(5)

# upsample3d
X, TO, HEIGHT, WIDTH, VOXEL, FD, FH, FW = range(8)


def accepts(case: Case) -> str | None:
    """Accepts everything that has values, all of one dtype."""
    if 0 in case.out:
        return "there is nothing to copy"
    if any(dtype != case.out_dtype for dtype in case.dtypes):
        return "copies values of one dtype only"
    return None


@task
def _concatenate(words, numbers, index, worker):
    inputs = words[INPUTS]
    whole = 0
    for i in range(inputs):
        whole += words[FIRST + 2 * i + 1]
    first, last = index * words[BLOCK], min((index + 1) * words[BLOCK], words[RUNS])
    begin = words[OUT]
    for i in range(inputs):
        size = words[FIRST + 2 * i + 1]
        source = words[FIRST + 2 * i]
        for run in range(first, last):
            copy(begin + run * whole, source + run * size, size)
        begin += size


@task
def _upsample(words, numbers, index, worker):
    """One input row: the first output row voxel by voxel, the others as copies of it."""
    width, voxel, fd, fh, fw = words[WIDTH], words[VOXEL], words[FD], words[FH], words[FW]
    height = words[HEIGHT]
    plane, y = index // height, index % height  # plane: batch and depth
    source = words[X] + index * width * voxel
    length = width * fw * voxel
    first = words[TO] + (plane * fd * height + y) * fh * length
    for i in range(width):
        for r in range(fw):
            copy(first + (i * fw + r) * voxel, source + i * voxel, voxel)
    for z in range(fd):
        for r in range(fh):
            if z + r > 0:
                copy(first + (z * height * fh + r) * length, first, length)


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    itemsize = np.dtype(case.out_dtype).itemsize
    workers = workers_for(int(np.prod(case.out, dtype=np.int64)) * itemsize)
    numbers = np.zeros(1)
    if case.op == "upsample3d":
        task, (n, d, h, w, c) = _upsample.address, case.inputs[0]

        def upsample3d(x, out, scratch, fd, fh, fw):
            words = np.array([address(x), address(out), h, w, c * itemsize, fd, fh, fw], np.int64)
            launch(task, words, numbers, n * d * h, workers)

        return upsample3d

    task, axis = _concatenate.address, case.params[0] % len(case.out)
    runs = int(np.prod(case.out[:axis], dtype=np.int64))
    sizes = [int(np.prod(shape[axis:], dtype=np.int64)) * itemsize for shape in case.inputs]
    block = max(1, 64 * 1024 // sum(sizes))

    def concatenate(*arguments):
        *inputs, out, _scratch, _axis = arguments
        table = [number for x, size in zip(inputs, sizes, strict=True) for number in (address(x), size)]
        words = np.array([address(out), runs, block, len(inputs), *table], np.int64)
        launch(task, words, numbers, -(-runs // block), workers)

    return concatenate
