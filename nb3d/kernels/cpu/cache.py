"""Numba's on-disk cache, made to live in our folder.

It looks only at the file that defines a function, breaks when two processes fill it at once, raises where it finds no
place, and unpickles whatever lies in its folder. So: one folder per state of the sources and versions, of mode 0700 and
owned by the user (``kernels/cache.py``, ``kernels/folders.py``), a file lock around every compilation, damaged entries
thrown away, and where there is no such folder, or no room in it, everything is compiled anew, after one warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from nb3d.kernels import cache as shared
from nb3d.kernels import folders

VERSIONS = f"{numba.__version__} {llvmlite.__version__}"


def fingerprint() -> str:
    """Returns a hash of everything compiled code depends on but the machine, which Numba's key holds."""
    return shared.fingerprint(VERSIONS)


@cache
def folder() -> Path | None:
    """Returns the folder of compiled kernels, or ``None``, after a warning, where there can be none."""
    return shared.folder(VERSIONS)


@contextmanager
def _trying() -> Iterator[None]:
    """A full disk or a folder that was closed meanwhile is no reason to fail: the kernel is there."""
    try:
        yield
    except OSError as error:
        shared.warn(f"they cannot be kept ({error.strerror or error})")


def locked() -> AbstractContextManager[None]:
    """Lets one process at a time compile into the folder."""
    path = folder()
    return nullcontext() if path is None else folders.locked(path)


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
            with _trying():
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keeps a compiled function, if that can be."""
        with _trying():
            super().save_overload(sig, data)
