"""The activations: kernels that look at one value at a time. Bound by memory, so one pass.

A task is a stretch of values; loops over its pieces become vectors (``approximations.py`` has no calls), and large
results are streamed. Measured on two cores of a Zen 4, ReLU of 64^3 voxels of 32 channels: 45 GB/s (23 GB/s with tasks
of 16 KB and ordinary stores).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.activate import apply
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import Native, task
from nb3d.kernels.cpu.launch import launch, share, workers_for
from nb3d.kernels.cpu.memory import pointer
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.streaming import PIECE, stack, stream, streams

X, OUT, COUNT, SHARE, STREAMED = range(5)


def accepts(case: Case) -> str | None:
    """Accepts floats."""
    return why_not_floats(case)


def overwrites(case: Case) -> tuple[int, ...]:
    """Its input: every value is read before it is written."""
    return (0,)


@cache
def _activation(code: int, dtype: str, in_place: bool) -> Native:
    kind, size = np.dtype(dtype).type, np.dtype(dtype).itemsize
    room = PIECE * size

    @task
    def activation(words, numbers, index, worker):
        alpha, beta = kind(numbers[0]), kind(numbers[1])
        waiting = stack(room)
        first = index * words[SHARE]
        last = min(first + words[SHARE], words[COUNT])
        for at in range(first, last, PIECE):
            length = min(PIECE, last - at)
            place = words[OUT] + at * size
            out = pointer(waiting if words[STREAMED] else place, kind)
            x = out if in_place else pointer(words[X] + at * size, kind)  # two equal pointers would forbid vectors
            for i in range(length):
                out[i] = apply(code, x[i], alpha, beta)
            if words[STREAMED]:
                stream(place, waiting, length * size)

    return activation


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    count = int(np.prod(case.out, dtype=np.int64))
    size = count * np.dtype(case.out_dtype).itemsize
    each, workers, numbers = share(count), workers_for(size), np.array(case.params, np.float64)
    code = int(Activation[case.op.upper()])

    def one(x, out, scratch, *params):
        in_place = address(x) == address(out)
        words = np.array([address(x), address(out), count, each, streams(size, in_place)], np.int64)
        launch(_activation(code, case.out_dtype, in_place).address, words, numbers, -(-count // each), workers)

    return one
