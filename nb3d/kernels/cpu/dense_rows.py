"""dense for a few samples: every weight is read from memory once, where it is. No copy of the weights is made.

    a task is a block of filters, as many as there are registers for:
        for some rows of weights, whose stretches stay in L2:
            for every sample:    add up the stretches, each times a value of the sample, in registers

It is bound by memory: rows of weights are asked for long before they are needed, as stretches of rows are too short for
hardware to notice. The sums have the order and the roundings of the register tiles of ``dense_tiles.py``, so bits do
not depend on the batch. That kernel packs its weights and reads them a little faster; it is left all products whose
packed weights are no burden. Measured on two cores of a Zen 4, 8192 to 4096 values: 4.9 ms, 27 GB/s; 4.3 ms from packed
weights. Rejected: two and more samples at once, in narrower stretches: twice as slow with four of them; weights asked
for 16 rows ahead: 6 ms.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import Native, task
from nb3d.kernels.cpu.epilogue import finish_address
from nb3d.kernels.cpu.host import vectors
from nb3d.kernels.cpu.launch import launch, workers_for
from nb3d.kernels.cpu.memory import I64, address_of, call
from nb3d.kernels.cpu.microkernel import lanes_of
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.vector_code import Vectors

MOST_ROWS = 2  # more are bound by L2
BURDEN = 32 * 1024 * 1024  # bytes of weights
AHEAD = 128  # rows of weights
DEPTH = 128  # rows of weights that stay in L2

X, KERNEL, BIAS, OUT, ROWS, VALUES, FILTERS, FINISH = range(8)


def accepts(case: Case) -> str | None:
    """Accepts a few samples of floats."""
    if case.inputs[0][0] > MOST_ROWS:
        return f"for at most {MOST_ROWS} samples, got {case.inputs[0][0]}"
    return why_not_floats(case)


def declines(case: Case) -> str | None:
    """Declines weights whose packed copy costs little memory."""
    size = math.prod(case.inputs[1]) * np.dtype(case.out_dtype).itemsize
    return f"{size} bytes of weights may be packed" if size < BURDEN else None


def _columns() -> int:
    """Returns how many vectors of filters are summed in registers: half of these."""
    return vectors().count // 2


@intrinsic(prefer_literal=True)
def _add_rows(context, columns, dtype, x, kernel, distance, count, start, out, filters):
    """``out = start + x @ kernel`` for ``count`` rows of ``columns`` vectors; ``filters`` values of them exist."""
    width, name = columns.literal_value, str(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, kernel, distance, count, start, out, filters = arguments[2:]
        vec = Vectors(builder, name, lanes_of(name))
        places = [I64(n * vec.bytes) for n in range(width)]
        sums = [cgutils.alloca_once(builder, vec.kind) for _ in places]

        def compute(load: Any, store: Any) -> None:
            with builder.if_else(builder.icmp_signed("!=", start, I64(0))) as (some, none):
                with some:
                    for n, place in enumerate(places):
                        builder.store(load(builder.add(start, place), n), sums[n])
                with none:
                    for total in sums:
                        builder.store(vec.zero, total)
            with cgutils.for_range(builder, count) as value:
                at = builder.add(kernel, builder.mul(value.index, distance))
                ahead = builder.add(at, builder.mul(distance, I64(AHEAD)))
                factor = vec.broadcast(builder.add(x, builder.mul(value.index, I64(vec.size))))
                for n, place in enumerate(places):
                    vec.prefetch(builder.add(ahead, place))
                    weights = load(builder.add(at, place), n)
                    builder.store(vec.multiply_add(factor, weights, builder.load(sums[n])), sums[n])
            for n, place in enumerate(places):
                store(builder.load(sums[n]), builder.add(out, place), n)

        with builder.if_else(builder.icmp_signed(">=", filters, I64(width * vec.lanes))) as (whole, partial):
            with whole:
                compute(lambda at, n: vec.load(at), lambda value, at, n: vec.store(value, at))
            with partial:
                masks = [vec.mask(builder.sub(filters, I64(n * vec.lanes))) for n in range(width)]
                compute(
                    lambda at, n: vec.load_masked(at, masks[n]),
                    lambda value, at, n: vec.store_masked(value, at, masks[n]),
                )
        return ctx.get_dummy_value()

    return types.void(columns, dtype, *[types.int64] * 7), generate


@cache
def _product(dtype: str) -> Native:
    kind, size, columns = np.dtype(dtype).type, np.dtype(dtype).itemsize, _columns()
    width = columns * lanes_of(dtype)

    @task
    def product(words, numbers, index, worker):
        first = index * width
        values, line, filters = words[VALUES], words[FILTERS] * size, min(width, words[FILTERS] - first)
        out, bias = words[OUT] + first * size, words[BIAS] + first * size if words[BIAS] else 0
        for begin in range(0, values, DEPTH):
            count, kernel = min(DEPTH, values - begin), words[KERNEL] + begin * line + first * size
            for row in range(words[ROWS]):
                x, place = words[X] + (row * values + begin) * size, out + row * line
                _add_rows(columns, kind, x, kernel, line, count, place if begin else bias, place, filters)
        if words[FINISH]:
            call(words[FINISH], out, line, words[ROWS], filters, 0, address_of(numbers))

    return product


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    rows, values = case.inputs[0]
    filters, (activation, *parameters) = case.out[1], case.params
    task, finish = _product(case.out_dtype).address, finish_address(activation, case.out_dtype, False)
    numbers, sizes = np.array(parameters, np.float64), (rows, values, filters, finish)
    tasks = -(-filters // (_columns() * lanes_of(case.out_dtype)))
    workers = workers_for(values * filters * np.dtype(case.out_dtype).itemsize)

    def dense(x, kernel, bias, out, scratch, *params):
        given = address(bias) if bias.size else 0
        words = np.array([address(x), address(kernel), given, address(out), *sizes], np.int64)
        launch(task, words, numbers, tasks, workers)

    return dense
