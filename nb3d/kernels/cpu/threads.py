"""How many threads, and two ways in which Numba's threading layers end a process, turned into order.

``workqueue`` aborts when two Python threads launch parallel kernels at once: ``guard`` lets one through at a time. GNU
``omp`` kills a forked child at its first parallel kernel when the parent has run one: ``guard`` raises instead.
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
_launched_in: int | None = None  # the process that first ran a parallel kernel


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


def _renew_lock() -> None:
    """In a forked child no other thread lives that could release the lock."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


@contextmanager
def guard() -> Iterator[None]:
    """Stands around every launch of a parallel kernel.

    Raises:
        RuntimeError: This is a forked child whose parent ran parallel kernels, and the threading layer cannot continue.
    """
    global _launched_in
    name = layer()
    if name is not None and _launched_in not in (None, os.getpid()) and _dies_after_fork(name):
        raise RuntimeError(
            "This process was forked from one that had already run parallel kernels, and GNU OpenMP cannot go on here. "
            "Start processes with the 'spawn' method (multiprocessing.set_start_method('spawn')), or run this one with "
            "one thread (numba.set_num_threads(1))."
        )
    turn: Any = _lock if name in (None, "workqueue") else nullcontext()
    with turn:
        if _launched_in is None:
            _launched_in = os.getpid()
        yield
