"""Kernels that only move bytes, of any dtype: ``concatenate`` along any axis, ``upsample3d``.

Operands of a concatenation of channels that lie in their places already are left alone.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import OUT, Case, Kernel
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import task
from nb3d.kernels.cpu.launch import launch, workers_for
from nb3d.kernels.cpu.memory import copy

# concatenate: words of the task, then of every input: where from, where to, bytes of a run, from one run to the next
PITCH, RUNS, BLOCK, INPUTS, FIRST = range(5)
SOURCE, TARGET, SIZE, SOURCE_PITCH, INPUT_WORDS = range(5)

# upsample3d
X, TO, HEIGHT, WIDTH, VOXEL, PITCH_X, PITCH_OUT, FD, FH, FW = range(10)


def accepts(case: Case) -> str | None:
    """Accepts everything that has values, all of one dtype."""
    if 0 in case.out:
        return "there is nothing to copy"
    if any(dtype != case.out_dtype for dtype in case.dtypes):
        return "copies values of one dtype only"
    return None


def slices(case: Case) -> tuple[int, ...]:
    """All operands, if it is channels that are put together, or voxels that are repeated."""
    if case.op == "concatenate" and case.params[0] % len(case.out) != len(case.out) - 1:
        return ()
    return (*range(len(case.inputs)), OUT)


@task
def _concatenate(words, numbers, index, worker):
    first, last = index * words[BLOCK], min((index + 1) * words[BLOCK], words[RUNS])
    for i in range(words[INPUTS]):
        entry = FIRST + INPUT_WORDS * i
        size, pitch = words[entry + SIZE], words[entry + SOURCE_PITCH]
        for run in range(first, last):
            copy(words[entry + TARGET] + run * words[PITCH], words[entry + SOURCE] + run * pitch, size)


@task
def _upsample(words, numbers, index, worker):
    """One input row: the first output row voxel by voxel, the others as copies of it, if they are contiguous."""
    width, voxel, fd, fh, fw = words[WIDTH], words[VOXEL], words[FD], words[FH], words[FW]
    height, pitch = words[HEIGHT], words[PITCH_OUT]
    plane, y = index // height, index % height  # plane: batch and depth
    source = words[X] + index * width * words[PITCH_X]
    length = width * fw * pitch
    first = words[TO] + (plane * fd * height + y) * fh * length
    for z in range(fd):
        for r in range(fh):
            row = first + (z * height * fh + r) * length
            if z + r > 0 and pitch == voxel:
                copy(row, first, length)
            else:
                for i in range(width):
                    for k in range(fw):
                        copy(row + (i * fw + k) * pitch, source + i * words[PITCH_X], voxel)


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    itemsize = np.dtype(case.out_dtype).itemsize
    workers = workers_for(int(np.prod(case.out, dtype=np.int64)) * itemsize)
    numbers = np.zeros(1)
    if case.op == "upsample3d":
        task, (n, d, h, w, c) = _upsample.address, case.inputs[0]
        pitches = [case.pitch(0) * itemsize, case.pitch(OUT) * itemsize]

        def upsample3d(x, out, scratch, fd, fh, fw):
            words = np.array([address(x), address(out), h, w, c * itemsize, *pitches, fd, fh, fw], np.int64)
            launch(task, words, numbers, n * d * h, workers)

        return upsample3d

    task, axis = _concatenate.address, case.params[0] % len(case.out)
    runs = int(np.prod(case.out[:axis], dtype=np.int64))
    along = [int(np.prod(shape[axis + 1 :], dtype=np.int64)) * itemsize for shape in (*case.inputs, case.out)]
    sizes = [shape[axis] * size for shape, size in zip(case.inputs, along, strict=False)]
    if case.pitches:
        strides = [pitch * itemsize for pitch in case.pitches]
    else:
        strides = [*sizes, sum(sizes)]
    block = max(1, 64 * 1024 // max(sum(sizes), 1))

    def concatenate(*arguments):
        *inputs, out, _scratch, _axis = arguments
        table, target = [], address(out)
        for x, size, stride in zip(inputs, sizes, strides, strict=False):
            if size and address(x) != target:
                table.append((address(x), target, size, stride))
            target += size
        words = np.array([strides[-1], runs, block, len(table), *sum(table, ())], np.int64)
        launch(task, words, numbers, -(-runs // block), workers)

    return concatenate
