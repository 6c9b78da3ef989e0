"""Kernels that look at one value at a time: the activations, ``add``, ``prelu``. Bound by memory, so one pass.

A task is a block of values that fits L1 twice; the loops over it become vectors (``approximations.py`` has no calls).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.activate import apply
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import Native, task
from nb3d.kernels.cpu.launch import launch, workers_for
from nb3d.kernels.cpu.memory import pointer
from nb3d.kernels.cpu.operands import why_not_floats

BLOCK = 4096  # values
X, Y, OUT, COUNT, ROW = range(5)


def accepts(case: Case) -> str | None:
    """Accepts floats; ``add`` of equal shapes; ``prelu`` whose slope repeats along leading axes only."""
    if case.op == "add" and not (case.inputs[0] == case.inputs[1] == case.out):
        return "adds equal shapes only"
    if case.op == "prelu":
        slope = case.inputs[1]
        while slope and slope[0] == 1:
            slope = slope[1:]
        if slope != case.out[len(case.out) - len(slope) :]:
            return "its slope must not be repeated along an inner axis"
    return why_not_floats(case)


@cache
def _activation(code: int, dtype: str) -> Native:
    kind = np.dtype(dtype).type

    @task
    def activation(words, numbers, index, worker):
        x, out = pointer(words[X], kind), pointer(words[OUT], kind)
        alpha, beta = kind(numbers[0]), kind(numbers[1])
        for i in range(index * BLOCK, min((index + 1) * BLOCK, words[COUNT])):
            out[i] = apply(code, x[i], alpha, beta)

    return activation


@cache
def _add(dtype: str) -> Native:
    kind = np.dtype(dtype).type

    @task
    def add(words, numbers, index, worker):
        x, y, out = pointer(words[X], kind), pointer(words[Y], kind), pointer(words[OUT], kind)
        for i in range(index * BLOCK, min((index + 1) * BLOCK, words[COUNT])):
            out[i] = x[i] + y[i]

    return add


@cache
def _prelu(dtype: str) -> Native:
    kind = np.dtype(dtype).type

    @task
    def prelu(words, numbers, index, worker):
        x, slope, out = pointer(words[X], kind), pointer(words[Y], kind), pointer(words[OUT], kind)
        last = min((index + 1) * BLOCK, words[COUNT])
        i = index * BLOCK
        while i < last:  # from one repetition of the slope to the next
            at = i % words[ROW]
            length = min(words[ROW] - at, last - i)
            for k in range(length):
                value = x[i + k]
                out[i + k] = value if value > kind(0.0) else slope[at + k] * value
            i += length

    return prelu


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    count = int(np.prod(case.out, dtype=np.int64))
    size = count * np.dtype(case.out_dtype).itemsize
    tasks, workers = -(-count // BLOCK), workers_for(size)
    numbers = np.array(case.params or (0.0, 0.0), np.float64)

    if case.op in ("add", "prelu"):
        compiled = (_add if case.op == "add" else _prelu)(case.out_dtype).address
        row = int(np.prod(case.inputs[1], dtype=np.int64))

        def two(x, y, out, scratch):
            words = np.array([address(x), address(y), address(out), count, row], np.int64)
            launch(compiled, words, numbers, tasks, workers)

        return two

    compiled = _activation(int(Activation[case.op.upper()]), case.out_dtype).address

    def one(x, out, scratch, *params):
        words = np.array([address(x), 0, address(out), count, 0], np.int64)
        launch(compiled, words, numbers, tasks, workers)

    return one
