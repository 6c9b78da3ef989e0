"""How many threads, and two ways in which Numba's threading layers end a process, turned into order.

``workqueue`` aborts when two Python threads launch parallel kernels at once: ``guard`` lets one through at a time. GNU
``omp`` kills a forked child at its first parallel kernel when the parent had started its threads: ``guard`` raises
instead. Threads start with the first parallel kernel, or when Numba is asked how many there are.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import numba
from numba import get_num_threads, set_num_threads

__all__ = ["get_num_threads", "guard", "set_num_threads"]

_lock = threading.RLock()
_threads_of: int | None = None  # the process that had started threads when it was forked


def layer() -> str | None:
    """Returns the name of the threading layer, ``None`` before the first parallel kernel."""
    try:
        return str(numba.threading_layer())
    except ValueError:
        return None


@cache
def _dies_after_fork(name: str) -> bool:
    if name != "omp":
        return False
    from numba.np.ufunc import omppool

    return bool(omppool.openmp_vendor == "GNU")


def _before_fork() -> None:
    global _threads_of
    if _threads_of is None and layer() is not None:
        _threads_of = os.getpid()


def _in_child() -> None:
    """No other thread lives here that could release the lock."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_in_child)


@contextmanager
def guard() -> Iterator[None]:
    """Stands around every launch of a parallel kernel.

    Raises:
        RuntimeError: This is a forked child whose parent had started threads, and the threading layer cannot go on.
    """
    name = layer()
    if name is not None and _threads_of not in (None, os.getpid()) and _dies_after_fork(name):
        raise RuntimeError(
            "This process was forked from one that had already started threads, and GNU OpenMP cannot go on here. "
            "Start processes with the 'spawn' method (multiprocessing.set_start_method('spawn')), or run this one with "
            "one thread (numba.set_num_threads(1))."
        )
    turn: Any = _lock if name in (None, "workqueue") else nullcontext()
    with turn:
        yield
