"""The activations: kernels that look at one value at a time. Bound by memory, so one pass.

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
X, OUT, COUNT = range(3)


def accepts(case: Case) -> str | None:
    """Accepts floats."""
    return why_not_floats(case)


def overwrites(case: Case) -> tuple[int, ...]:
    """Its input: every value is read before it is written."""
    return (0,)


@cache
def _activation(code: int, dtype: str, in_place: bool) -> Native:
    kind = np.dtype(dtype).type

    @task
    def activation(words, numbers, index, worker):
        out = pointer(words[OUT], kind)
        x = out if in_place else pointer(words[X], kind)  # one pointer: vectors that two equal ones would forbid
        alpha, beta = kind(numbers[0]), kind(numbers[1])
        for i in range(index * BLOCK, min((index + 1) * BLOCK, words[COUNT])):
            out[i] = apply(code, x[i], alpha, beta)

    return activation


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    count = int(np.prod(case.out, dtype=np.int64))
    size = count * np.dtype(case.out_dtype).itemsize
    tasks, workers = -(-count // BLOCK), workers_for(size)
    numbers = np.array(case.params, np.float64)
    code = int(Activation[case.op.upper()])

    def one(x, out, scratch, *params):
        words = np.array([address(x), address(out), count], np.int64)
        compiled = _activation(code, case.out_dtype, address(x) == address(out)).address
        launch(compiled, words, numbers, tasks, workers)

    return one
