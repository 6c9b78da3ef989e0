"""batch_normalization along any axis, softmax along the last one: a block of values per task.

Statistics of few channels are packed as several repetitions, so that loops are long; measured on one core of a Zen 4,
64^3 voxels of 8 channels: 51 GB/s (22 without); of 32 channels 33 GB/s, bound by memory.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from nb3d.kernels.case import Arrays, Case, Kernel
from nb3d.kernels.cpu.approximations import exp
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import Native, task
from nb3d.kernels.cpu.launch import launch, workers_for
from nb3d.kernels.cpu.memory import pointer
from nb3d.kernels.cpu.operands import why_not_floats

BLOCK = 4096  # values
LONG = 256  # values of statistics, repeated
X, OUT, ROWS, CHANNELS, MEAN, FACTOR, OFFSET, INNER, BLOCKS, PERIOD = range(10)


def accepts(case: Case) -> str | None:
    """Accepts floats; softmax along the last axis."""
    if case.op == "softmax" and case.params[-1] not in (-1, len(case.out) - 1):
        return "works along the last axis only"
    return why_not_floats(case, weights=(1, 2, 3, 4) if case.op == "batch_normalization" else ())


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Turns the statistics into ``mean``, a factor and an offset; ``x - mean`` stays as it is, so nothing cancels."""
    if case.op != "batch_normalization":
        return inputs
    x, mean, variance, offset, scale = inputs
    with np.errstate(all="ignore"):
        factor = 1.0 / np.sqrt(variance.astype(np.float64) + case.params[0])
        factor = (factor * scale if scale.size else factor).astype(x.dtype)
    offset = offset if offset.size else np.zeros_like(mean)
    times = _repetitions(case)
    return x, np.tile(mean, times), np.tile(factor, times), np.tile(offset, times), scale


def _repetitions(case: Case) -> int:
    """Returns how often the statistics of one voxel are packed side by side: once unless their axis is the last one."""
    last = case.params[-1] % len(case.out) == len(case.out) - 1
    return max(LONG // case.out[-1], 1) if last else 1


@cache
def _normalize(dtype: str) -> Native:
    kind = np.dtype(dtype).type

    @task
    def normalize(words, numbers, index, worker):
        x, out, period = pointer(words[X], kind), pointer(words[OUT], kind), words[PERIOD]
        mean, factor, offset = pointer(words[MEAN], kind), pointer(words[FACTOR], kind), pointer(words[OFFSET], kind)
        periods = max(BLOCK // period, 1)
        first, values = index * periods * period, words[ROWS] * words[CHANNELS]
        for at in range(first, min(first + periods * period, values), period):
            for c in range(min(period, values - at)):
                out[at + c] = (x[at + c] - mean[c]) * factor[c] + offset[c]

    return normalize


@cache
def _normalize_runs(dtype: str) -> Native:
    kind = np.dtype(dtype).type

    @task
    def normalize_runs(words, numbers, index, worker):
        """Along an axis that is not the last one: long runs of one channel."""
        run = index // words[BLOCKS]
        first = index % words[BLOCKS] * BLOCK
        x, out, c, start = pointer(words[X], kind), pointer(words[OUT], kind), run % words[CHANNELS], run * words[INNER]
        mean, factor = pointer(words[MEAN], kind)[c], pointer(words[FACTOR], kind)[c]
        offset = pointer(words[OFFSET], kind)[c]
        for i in range(start + first, start + min(first + BLOCK, words[INNER])):
            out[i] = (x[i] - mean) * factor + offset

    return normalize_runs


@cache
def _softmax(dtype: str) -> Native:
    kind = np.dtype(dtype).type

    @task
    def softmax(words, numbers, index, worker):
        x, out, channels = pointer(words[X], kind), pointer(words[OUT], kind), words[CHANNELS]
        rows = max(BLOCK // channels, 1)
        first, last = index * rows, min((index + 1) * rows, words[ROWS])
        for row in range(first, last):
            at = row * channels
            most = x[at]
            for c in range(1, channels):
                most = x[at + c] if x[at + c] > most else most
            for c in range(channels):
                out[at + c] = x[at + c] - most
        for i in range(first * channels, last * channels):  # one long loop: vectors also for two channels
            out[i] = exp(out[i])
        for row in range(first, last):
            at = row * channels
            total = kind(0.0)
            for c in range(channels):
                total += out[at + c]
            for c in range(channels):
                out[at + c] /= total

    return softmax


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    axis = case.params[-1] % len(case.out)
    channels = case.out[axis]
    rows, inner = (int(np.prod(part, dtype=np.int64)) for part in (case.out[:axis], case.out[axis + 1 :]))
    workers = workers_for(rows * channels * inner * np.dtype(case.out_dtype).itemsize)
    numbers, blocks = np.zeros(1), -(-inner // BLOCK)

    if case.op == "softmax":
        task = _softmax(case.out_dtype).address
        tasks = -(-rows // max(BLOCK // channels, 1))

        def softmax(x, out, scratch, axis):
            words = np.array([address(x), address(out), rows, channels, *[0] * 6], np.int64)
            launch(task, words, numbers, tasks, workers)

        return softmax

    period = channels * _repetitions(case)
    runs = inner > 1 or axis < len(case.out) - 1
    task = (_normalize_runs if runs else _normalize)(case.out_dtype).address
    tasks = rows * channels * blocks if runs else -(-rows * channels // (max(BLOCK // period, 1) * period))

    def batch_normalization(x, mean, factor, offset, _scale, out, scratch, epsilon, axis):
        words = [address(x), address(out), rows, channels, address(mean), address(factor), address(offset)]
        launch(task, np.array([*words, inner, blocks, period], np.int64), numbers, tasks, workers)

    return batch_normalization
