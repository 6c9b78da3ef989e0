"""The one loop over tasks: every kernel of this package runs through it, in parallel or alone.

Workers claim tasks one by one, so a slow core takes fewer. Which worker computes a task cannot change its bits.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from nb3d.kernels.cpu.compile import driver
from nb3d.kernels.cpu.memory import call, claim
from nb3d.kernels.cpu.threads import get_num_threads, guard

ENOUGH_TASKS = 48
SMALLEST_SHARE, LARGEST_SHARE = 4096, 65536  # values


@driver(parallel=True)
def _parallel(task, words, numbers, tasks, workers, counter):
    for worker in prange(workers):
        index = claim(counter)
        while index < tasks:
            call(task, words, numbers, index, np.int64(worker))
            index = claim(counter)


@driver(parallel=False)
def _serial(task, words, numbers, tasks):
    for index in range(tasks):
        call(task, words, numbers, index, 0)


def launch(task: int, words: np.ndarray, numbers: np.ndarray, tasks: int, workers: int | None = None) -> None:
    """Runs tasks ``0 .. tasks - 1``.

    Args:
        task: Address of the task.
        words: Its integers (``int64``).
        numbers: Its floats (``float64``).
        tasks: How many.
        workers: At most so many at once; ``None`` for as many as there are threads.
    """
    most = tasks if workers is None else min(tasks, workers)
    workers = min(most, get_num_threads()) if most > 1 else 1  # asking starts the threads: not for one worker
    if workers > 1:
        loop = _parallel.compiled  # outside of the guard: it may take a second
        counter = np.zeros(1, np.int64)
        with guard():
            loop(task, words.ctypes.data, numbers.ctypes.data, tasks, workers, counter.ctypes.data)
    elif tasks:
        _serial.compiled(task, words.ctypes.data, numbers.ctypes.data, tasks)


def compile_loops() -> None:
    """Compiles both loops, unless they are there already: the rest of what a kernel's ``load`` has compiled."""
    _ = _serial.compiled, _parallel.compiled


def workers_for(size: int) -> int | None:
    """Returns how many workers a pass over ``size`` bytes deserves: one where a second costs more than it brings."""
    return 1 if size < 256 * 1024 else None


def share(values: int) -> int:
    """Returns how many of so many values a task takes that goes through memory in order.

    Long stretches are read ahead of better, and there are enough of them for any usual number of threads.
    """
    return min(max(values // ENOUGH_TASKS, SMALLEST_SHARE), LARGEST_SHARE) // SMALLEST_SHARE * SMALLEST_SHARE
