"""normalization of every run of values by itself: layer, RMS and unit normalization. Once through memory.

A run is what statistics are taken of, and lies contiguous: the channels of a voxel, or a group of them. A task takes a
piece of several runs; each is read three times, twice of them from L1:

    its sum, in vectors of float64       the squares of what is left without the mean       the result

Measured on two cores of a Zen 4, 64^3 voxels of 32 channels: 4.1 ms. Next: several short runs in one vector, for the
shuffles at the end of a sum are half of the time.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.activate import apply
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import Native, task
from nb3d.kernels.cpu.launch import launch, share, workers_for
from nb3d.kernels.cpu.memory import pointer
from nb3d.kernels.cpu.moments import divide
from nb3d.kernels.cpu.normalization_volumes import sizes
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.runs import Run
from nb3d.kernels.cpu.streaming import PIECE, stack, stream, streams

LONG = 16 * 1024  # values of a run that no longer stays near while it is read again

X, OUT, RUNS, LENGTH, GROUPS, SCALE, OFFSET, PIECES, SHARE, STREAMED = range(10)


def _runs(case: Case) -> tuple[int, int]:
    """Returns how many runs there are, and their length."""
    outer, rows, channels = sizes(case)
    groups = case.params[1]
    return outer * groups, rows * channels // groups


def accepts(case: Case) -> str | None:
    """Accepts floats, where the values of a group lie contiguous."""
    if reason := why_not_floats(case):
        return reason
    _, rows, _ = sizes(case)
    if rows > 1 and (case.params[1] > 1 or case.inputs[1] != (0,) or case.inputs[2] != (0,)):
        return "the values of a group, or the scales of its channels, do not follow each other"
    return None


def declines(case: Case) -> str | None:
    """Leaves volumes to the kernel that divides them among threads."""
    return "there are long runs of several rows" if sizes(case)[1] > 1 and _runs(case)[1] > LONG else None


def overwrites(case: Case) -> tuple[int, ...]:
    """Its input: statistics of a run are complete before it is written."""
    return (0,)


@intrinsic(prefer_literal=True)
def _moments(context, centered, dtype, x, length):
    """Mean and sum of squares of a run."""
    name = str(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, length = arguments[2:]
        run = Run(builder, name, length, "float64")
        mean = ir.Constant(run.wide.scalar, 0.0)
        if centered.literal_value:
            mean = builder.fdiv(run.sum(x), builder.sitofp(length, run.wide.scalar))
        center = run.wide.spread(mean)

        def square(value: Any) -> Any:
            distance = builder.fsub(value, center)
            return builder.fmul(distance, distance)

        return ctx.make_tuple(builder, signature.return_type, (mean, run.sum(x, square)))

    return types.UniTuple(types.float64, 2)(centered, dtype, types.int64, types.int64), generate


@intrinsic
def _write(context, dtype, x, out, length, mean, factor, scale, offset):
    """Writes a run: ``(x - mean) * factor * scale + offset``, in float64, rounded once."""
    name = str(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, out, length, mean, factor, scale, offset = arguments[1:]
        run = Run(builder, name, length, "float64")
        center, times = run.wide.spread(mean), run.wide.spread(factor)

        def work(at: Any, load: Any, store: Any) -> None:
            def operand(begin: Any) -> Any:
                return run.widened(load(builder.add(begin, at)))

            value = builder.fmul(builder.fsub(operand(x), center), builder.fmul(times, operand(scale)))
            store(run.narrowed(builder.fadd(value, operand(offset))), builder.add(out, at))

        run.each(work)
        return ctx.get_dummy_value()

    integers = [types.int64] * 3
    return types.void(dtype, *integers, types.float64, types.float64, types.int64, types.int64), generate


@cache
def _normalize(centered: int, divisor: int, activation: int, dtype: str) -> Native:
    kind, size = np.dtype(dtype).type, np.dtype(dtype).itemsize
    room, linear = PIECE * size, activation == Activation.LINEAR

    @task
    def normalize(words, numbers, index, worker):
        length, count, groups = words[LENGTH], np.float64(words[LENGTH]), words[GROUPS]
        alpha, beta = kind(numbers[1]), kind(numbers[2])
        waiting = stack(room)
        first = index * words[SHARE]
        last = min(first + words[SHARE], words[RUNS])
        for begin in range(first, last, words[PIECES]):
            end = min(begin + words[PIECES], last)
            place = words[OUT] + begin * length * size
            target = waiting if words[STREAMED] else place
            for run in range(begin, end):
                x, out = words[X] + run * length * size, target + (run - begin) * length * size
                mean, squares = _moments(centered, kind, x, length)
                factor = 1.0 / divide(divisor, squares, count, numbers[0])
                channel = run % groups * length * size
                _write(kind, x, out, length, mean, factor, words[SCALE] + channel, words[OFFSET] + channel)
            if not linear:
                values = pointer(target, kind)
                for i in range((end - begin) * length):
                    values[i] = apply(activation, values[i], alpha, beta)
            if words[STREAMED]:
                stream(place, waiting, (end - begin) * length * size)

    return normalize


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    runs, length = _runs(case)
    groups, epsilon, centered, divisor, activation, *numbers = case.params[1:]
    constants = np.array([epsilon, *numbers], np.float64)
    compiled = _normalize(int(centered), int(divisor), activation, case.out_dtype).address
    size = runs * length * np.dtype(case.out_dtype).itemsize
    each, pieces = max(share(runs * length) // length, 1), max(PIECE // length, 1)
    tasks, workers = -(-runs // each), workers_for(size)
    ones, zeros = np.ones(groups * length, case.out_dtype), np.zeros(groups * length, case.out_dtype)

    def normalization(x, offset, scale, out, scratch, *params):
        weights = address(scale if scale.size else ones), address(offset if offset.size else zeros)
        streamed = streams(size, address(x) == address(out)) if length <= PIECE else 0
        words = [address(x), address(out), runs, length, groups, *weights, pieces, each, streamed]
        launch(compiled, np.array(words, np.int64), constants, tasks, workers)

    return normalization
