"""Whose turn it is on a GPU."""

from __future__ import annotations

import threading

from nb3d.kernels.cuda.seam import Driver


class Turn:
    """Held by one thread at a time, as often as it likes; meanwhile the GPU's context is current in it.

    There is one stream, and what is launched while another thread captures a graph would become a part of it. The
    context is entered once for all that happens in a turn, and afterwards the thread has the one that it had before:
    another library may have chosen another GPU there.

    Args:
        driver: The GPU.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._lock = threading.RLock()
        self._depth = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            if self._depth == 0:
                self._driver.enter()
        except BaseException:
            self._lock.release()
            raise
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        try:
            if self._depth == 0:
                self._driver.leave()
        finally:
            self._lock.release()
