"""Numba's on-disk cache, made to live in our folder (``kernels/folders.py`` says where and why).

Its own looks only at the file that defines a function, breaks when two processes fill it at once, raises where it finds
no place, and unpickles whatever lies in its folder. So: our folder, a lock around every compilation, damaged entries
thrown away, and entries that find no room not kept, after one warning.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from nb3d.kernels import folders

COMPILERS: folders.Versions = (("numba", numba.__version__), ("llvmlite", llvmlite.__version__))


def fingerprint() -> str:
    """Returns a hash of everything compiled code depends on but the machine, which Numba's key holds."""
    return folders.fingerprint(COMPILERS)


def folder() -> Path | None:
    """Returns the folder of compiled kernels, or ``None``, after a warning, where there can be none."""
    return folders.folder(COMPILERS)


def locked() -> AbstractContextManager[None]:
    """Lets one process at a time compile into the folder."""
    return folders.locked(folder())


class _Locator(_CacheLocator):
    """Tells Numba's cache about our folder."""

    def __init__(self, line: int, file: str) -> None:
        self._line = line
        self._py_file = file

    def get_cache_path(self) -> str:
        return str(folder())

    def get_source_stamp(self) -> str:
        return fingerprint()

    def get_disambiguator(self) -> str:
        return str(self._line)

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _Locator:
        return cls(py_func.__code__.co_firstlineno, py_file)


class _Entries(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012 - Numba's attribute


class KernelCache(FunctionCache):
    """The entries of one function; a damaged one is dropped and compiled again, one that finds no room is not kept.

    Before the first one Numba registers everything it can compile, for 0.1 s. Rejected: loading without that. A symbol
    that is missing then ends the process, and which ones compiled code needs is Numba's own affair.
    """

    _impl_class = _Entries

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Returns the compiled function, or ``None`` if it is not there or not readable."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # truncated or foreign pickles raise nearly anything
            with folders.keeping():
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keeps a compiled function, if that can be."""
        with folders.keeping():
            super().save_overload(sig, data)
