"""Every program that the table of cases asks for, without compiling or running any."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nb3d.kernels import table
from nb3d.kernels.case import Case, Implementation
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import Launch, recording
from nb3d.plan.cost import flops, traffic
from tests.kernels.cases import EXAMPLES, Example
from tests.kernels.compare import THREADS


def implementations(op: str) -> tuple[Implementation, ...]:
    """The CUDA kernels of an operation."""
    try:
        return table.implementations(op, "cuda")
    except table.UnknownOperation:
        return ()


def pairs(most: float) -> Iterator[tuple[Implementation, Example]]:
    """Every kernel with every case that it accepts and that takes at most so many operations."""
    for example in EXAMPLES:
        if flops(example.case) + traffic(example.case) <= most:
            for implementation in implementations(example.case.op):
                if implementation.accepts(example.case) is None:
                    yield implementation, example


def launches_of(implementation: Implementation, example: Example) -> list[Launch]:
    """What an implementation launches for an example, on arrays that are nowhere."""
    case: Case = example.case

    def somewhere(array: np.ndarray) -> Array:
        return Array(1 << 40, array.shape, array.dtype)

    inputs = [somewhere(array) for array in implementation.prepare(case, example.inputs())]
    scratch = somewhere(np.empty(implementation.scratch(case, THREADS), np.uint8))
    launches: list[Launch] = []
    with recording(launches.append):
        implementation.load(case)(*inputs, somewhere(example.out()), scratch, *case.params)
    return launches
