"""The only place that says how kernels are compiled.

Three kinds of functions: a *task* is called through its address with ``(words, numbers, index, worker)``: an array of
``int64`` (addresses, sizes), an array of ``float64``, which piece of the work, and who does it. A *native* function is
the same with a signature of its own. A *helper* is compiled into whoever calls it.

``nnan`` and ``ninf`` are not among the flags: they would fold tests for NaN away. Nor is ``reassoc``: it would undo
range reductions, and sums keep their order. What is left lets multiply-adds fuse and forgets the sign of zero.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from time import perf_counter
from typing import Any

from numba import njit, types
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher

from nb3d.kernels import compiling
from nb3d.kernels.cpu.cache import KernelCache, folder, locked

EXACT = frozenset({"contract", "nsz"})

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "boundscheck": False, "nogil": True}

OVERLOADED: dict[str, Any] = {"fastmath": set(EXACT), "error_model": "numpy", "forceinline": True}
"""Options of functions that are chosen by the types of their arguments (``numba.extending.overload``)."""

WORDS = types.CPointer(types.int64)
NUMBERS = types.CPointer(types.float64)
TASK = types.void(WORDS, NUMBERS, types.int64, types.int64)


class Native:
    """A function that becomes machine code when its address is first asked for.

    Raises:
        TypeError: If a helper is among the variables of its closure. They are part of its name on disk, and a helper
            is another one in every process: it would be compiled anew in each.
    """

    def __init__(self, function: Callable[..., Any], signature: Any) -> None:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if isinstance(cell.cell_contents, Dispatcher):
                raise TypeError(
                    f"Expected {function.__qualname__} to close over numbers, types and names, got the helper "
                    f"{name!r}: no other process would find it on disk. Choose it in an overload: see `maps.evaluate`."
                )
        self._function = function
        self._signature = signature
        self._options = {**_OPTIONS, "nopython": True, "fastmath": set(EXACT)}

    @cached_property
    def compiled(self) -> CFunc:
        """The compiled function, from disk where it is there already."""
        arguments, result = self._signature.args, self._signature.return_type
        compiled = CFunc(self._function, (arguments, result), locals={}, options=dict(self._options))
        if folder() is not None:
            compiled._cache = KernelCache(self._function)
        _build(compiled.compile, lambda: bool(compiled.cache_hits))
        return compiled

    @property
    def address(self) -> int:
        """Where its machine code lies."""
        return int(self.compiled.address)


def native(signature: Any) -> Callable[[Callable[..., Any]], Native]:
    """Marks a function to be called through its address with ``signature``."""
    return lambda function: Native(function, signature)


def task(function: Callable[..., Any]) -> Native:
    """Marks a function of ``(words, numbers, index, worker)`` to be run by ``launch``."""
    return Native(function, TASK)


def helper(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a function to be compiled into the kernels that call it: a call in a loop would keep it from vectors."""
    return njit(fastmath=set(EXACT), forceinline=True, **_OPTIONS)(function)


class Driver:
    """A loop over tasks that Python calls; it becomes machine code when it is first asked for.

    Its arguments are ``int64``, so that it can be compiled before they are there.
    """

    def __init__(self, function: Callable[..., Any], parallel: bool) -> None:
        self._function = function
        self._parallel = parallel

    @cached_property
    def compiled(self) -> Any:
        """The compiled function, from disk where it is there already."""
        dispatcher = njit(parallel=self._parallel, fastmath=set(EXACT), **_OPTIONS)(self._function)
        if folder() is not None:
            dispatcher._cache = KernelCache(self._function)
        arguments = [types.int64] * self._function.__code__.co_argcount
        _build(lambda: dispatcher.compile(types.void(*arguments)), lambda: bool(dispatcher.stats.cache_hits))
        return dispatcher


def driver(parallel: bool) -> Callable[[Callable[..., Any]], Driver]:
    """Marks a loop over tasks that Python calls."""
    return lambda function: Driver(function, parallel)


def _build(build: Callable[[], Any], found: Callable[[], bool]) -> None:
    """Compiles or finds on disk, one process at a time, and counts which."""
    with locked():
        begin = perf_counter()
        build()
        seconds = perf_counter() - begin
    if found():
        compiling.found()
    else:
        compiling.compiled(seconds, folder())
