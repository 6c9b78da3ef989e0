"""softmax and log_softmax along the last axis: a stretch of voxels per task.

Channels that divide a vector stay where they are: largest values and sums are folded across the lanes of a voxel, so
that every loop is over contiguous values. Other small numbers are a constant when the kernel is compiled: its loops
over channels are unrolled, and the one over voxels becomes vectors. Of more channels, a piece of several voxels goes
through

    the largest value of every voxel, and what the others lack to it     vectors along the channels
    the exponentials of the whole piece                                  one long loop, whatever the channels
    their sum for every voxel, and what follows from it                  vectors along the channels

Measured on two cores of a Zen 4, 64^3 voxels: 2 channels 0.17 ms, 3 channels 0.43 ms, 4 channels 0.30 ms, 32 channels
2.8 ms. Rejected: 2 and 4 channels unrolled, 1.4 times slower in cold caches: their loads are strided.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.approximations import exp_below_zero, log
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import Native, task
from nb3d.kernels.cpu.launch import launch, share, workers_for
from nb3d.kernels.cpu.memory import pointer
from nb3d.kernels.cpu.microkernel import lanes_of
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.runs import Run
from nb3d.kernels.cpu.streaming import PIECE, stack

FEW = 8  # channels: with more, registers no longer hold the exponentials
X, OUT, ROWS, CHANNELS, SHARE = range(5)


def accepts(case: Case) -> str | None:
    """Accepts floats, along the last axis; for the logarithm, voxels that fit a piece."""
    if case.params[0] not in (-1, len(case.out) - 1):
        return "works along the last axis only"
    if case.op == "log_softmax" and case.out[-1] > PIECE:
        return f"has room for {PIECE} channels"
    return why_not_floats(case)


@cache
def _softmax_of_few(channels: int, logarithm: bool, dtype: str) -> Native:
    kind = np.dtype(dtype).type

    @task
    def softmax_of_few(words, numbers, index, worker):
        x, out = pointer(words[X], kind), pointer(words[OUT], kind)
        first = index * words[SHARE]
        for row in range(first, min(first + words[SHARE], words[ROWS])):
            at = row * channels
            most = x[at]
            for c in range(1, channels):
                most = x[at + c] if x[at + c] > most else most
            total = kind(0.0)
            for c in range(channels):
                total += exp_below_zero(x[at + c] - most)
            if logarithm:
                total = log(total)
                for c in range(channels):
                    out[at + c] = x[at + c] - most - total
            else:
                one = kind(1.0) / total
                for c in range(channels):
                    out[at + c] = exp_below_zero(x[at + c] - most) * one  # LLVM has it from above

    return softmax_of_few


@intrinsic
def _lacks(context, dtype, x, out, length):
    """Writes what the values of a run lack to the largest."""
    name = str(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, out, length = arguments[1:]
        run = Run(builder, name, length, name)
        most = run.wide.spread(run.largest(x))

        def work(at: Any, load: Any, store: Any) -> None:
            store(builder.fsub(load(builder.add(x, at)), most), builder.add(out, at))

        run.each(work)
        return ctx.get_dummy_value()

    return types.void(dtype, types.int64, types.int64, types.int64), generate


@intrinsic
def _sum(context, dtype, x, length):
    """The sum of a run."""
    name = str(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return Run(builder, name, arguments[2], name).sum(arguments[1])

    return dtype.instance_type(dtype, types.int64, types.int64), generate


@intrinsic(prefer_literal=True)
def _within(context, dtype, channels, sums, x, to, length):
    """For groups of so many lanes: their sum in every lane, or what every lane lacks to the largest of its group."""
    name, width, sums_up = str(dtype.instance_type), channels.literal_value, bool(sums.literal_value)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, to, length = arguments[3:]
        run = Run(builder, name, length, name)
        vec = run.wide

        def work(at: Any, load: Any, store: Any) -> None:
            value = load(builder.add(x, at))
            folded = vec.within(value, width, builder.fadd if sums_up else vec.larger)
            store(folded if sums_up else builder.fsub(value, folded), builder.add(to, at))

        run.each(work)
        return ctx.get_dummy_value()

    return types.void(dtype, channels, sums, types.int64, types.int64, types.int64), generate


@cache
def _softmax_of_lanes(channels: int, logarithm: bool, dtype: str) -> Native:
    kind, size = np.dtype(dtype).type, np.dtype(dtype).itemsize
    room = PIECE * size

    @task
    def softmax_of_lanes(words, numbers, index, worker):
        first, last = index * words[SHARE] * channels, min((index + 1) * words[SHARE], words[ROWS]) * channels
        powers_at, totals_at = stack(room), stack(room)
        powers, totals = pointer(powers_at, kind), pointer(totals_at, kind)
        for begin in range(first, last, PIECE):
            count, place = min(PIECE, last - begin), words[OUT] + begin * size
            out = pointer(place, kind)
            _within(kind, channels, 0, words[X] + begin * size, place, count)
            for i in range(count):
                powers[i] = exp_below_zero(out[i])
            _within(kind, channels, 1, powers_at, totals_at, count)
            if logarithm:
                for i in range(count):
                    out[i] -= log(totals[i])
            else:
                for i in range(count):
                    out[i] = powers[i] / totals[i]

    return softmax_of_lanes


@cache
def _softmax(logarithm: bool, dtype: str) -> Native:
    kind, size = np.dtype(dtype).type, np.dtype(dtype).itemsize
    room = PIECE * size

    @task
    def softmax(words, numbers, index, worker):
        channels, waiting = words[CHANNELS], stack(room)
        first = index * words[SHARE]
        last = min(first + words[SHARE], words[ROWS])
        each = max(PIECE // channels, 1)
        for begin in range(first, last, each):
            rows = min(each, last - begin)
            place = words[OUT] + begin * channels * size
            out = pointer(place, kind)
            for row in range(rows):
                at = row * channels * size
                _lacks(kind, words[X] + begin * channels * size + at, place + at, channels)
            powers = pointer(waiting if logarithm else place, kind)
            for i in range(rows * channels):
                powers[i] = exp_below_zero(out[i])
            for row in range(rows):
                at = row * channels
                if logarithm:
                    total = log(_sum(kind, waiting + at * size, channels))
                    for c in range(at, at + channels):
                        out[c] -= total
                else:
                    one = kind(1.0) / _sum(kind, place + at * size, channels)
                    for c in range(at, at + channels):
                        out[c] *= one

    return softmax


def _task(channels: int, logarithm: bool, dtype: str) -> Native:
    if channels > 1 and lanes_of(dtype) % channels == 0:
        return _softmax_of_lanes(channels, logarithm, dtype)
    return _softmax_of_few(channels, logarithm, dtype) if channels <= FEW else _softmax(logarithm, dtype)


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    *outer, channels = case.out
    rows = int(np.prod(outer, dtype=np.int64))
    logarithm = case.op == "log_softmax"
    task = _task(channels, logarithm, case.out_dtype).address
    each, numbers = max(share(rows * channels) // channels, 1), np.zeros(1)
    workers = workers_for(rows * channels * np.dtype(case.out_dtype).itemsize)

    def softmax(x, out, scratch, axis):
        words = np.array([address(x), address(out), rows, channels, each], np.int64)
        launch(task, words, numbers, -(-rows // each), workers)

    return softmax
