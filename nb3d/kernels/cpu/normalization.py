"""batch_normalization and softmax along the last axis, a block of voxels per task."""

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
X, OUT, ROWS, CHANNELS, MEAN, FACTOR, OFFSET = range(7)


def accepts(case: Case) -> str | None:
    """Accepts floats, along the last axis."""
    if case.params[-1] not in (-1, len(case.out) - 1):
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
    return x, np.ascontiguousarray(mean), np.ascontiguousarray(factor), np.ascontiguousarray(offset), scale


@cache
def _normalize(dtype: str) -> Native:
    kind = np.dtype(dtype).type

    @task
    def normalize(words, numbers, index, worker):
        x, out, channels = pointer(words[X], kind), pointer(words[OUT], kind), words[CHANNELS]
        mean, factor, offset = pointer(words[MEAN], kind), pointer(words[FACTOR], kind), pointer(words[OFFSET], kind)
        rows = max(BLOCK // channels, 1)
        for row in range(index * rows, min((index + 1) * rows, words[ROWS])):
            at = row * channels
            for c in range(channels):
                out[at + c] = (x[at + c] - mean[c]) * factor[c] + offset[c]

    return normalize


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
    channels = case.out[-1]
    rows = int(np.prod(case.out[:-1], dtype=np.int64))
    tasks = -(-rows // max(BLOCK // channels, 1))
    workers = workers_for(rows * channels * np.dtype(case.out_dtype).itemsize)
    numbers = np.zeros(1)

    if case.op == "softmax":
        task = _softmax(case.out_dtype).address

        def softmax(x, out, scratch, axis):
            words = np.array([address(x), address(out), rows, channels, 0, 0, 0], np.int64)
            launch(task, words, numbers, tasks, workers)

        return softmax

    task = _normalize(case.out_dtype).address

    def batch_normalization(x, mean, factor, offset, _scale, out, scratch, epsilon, axis):
        words = [address(x), address(out), rows, channels, address(mean), address(factor), address(offset)]
        launch(task, np.array(words, np.int64), numbers, tasks, workers)

    return batch_normalization
