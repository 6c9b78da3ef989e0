"""Where compiled kernels are kept between runs.

Numba's own cache looks only at the file that defines a function, breaks when two processes fill it at once, raises
where it finds no place, and unpickles whatever lies in its folder. So: one folder per state of the sources and
versions, of mode 0700 and owned by the user, a file lock around every compilation, damaged entries thrown away, and
where there is no such folder everything is compiled anew, after one warning.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

try:
    import fcntl
except ImportError:  # Windows: the index is still replaced in one step, only work may be done twice
    fcntl = None  # type: ignore[assignment]


@cache
def fingerprint() -> str:
    """Returns a hash of everything compiled code depends on but the machine, which Numba's key holds."""
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__} {sys.version}".encode())
    kernels = Path(__file__).parent.parent
    for source in sorted(kernels.rglob("*.py")):
        digest.update(source.relative_to(kernels).as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:20]


def _base() -> Path:
    if own := os.environ.get("NB3D_CACHE_DIR"):
        return Path(own)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "nb3d"
    return Path.home() / ".cache" / "nb3d"  # without HOME, from the list of users


def _private(path: Path) -> None:
    """Makes sure that ``path`` is a writable folder of this user alone: what lies in it will be executed."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    if hasattr(os, "getuid"):
        if status.st_uid != os.getuid():
            raise PermissionError(f"{path} belongs to another user")
        if status.st_mode & 0o022:
            raise PermissionError(f"{path} is writable by others")
        if stat.S_IMODE(status.st_mode) & 0o077:
            path.chmod(0o700)
    tempfile.TemporaryFile(dir=path).close()


@cache
def folder() -> Path | None:
    """Returns the folder of compiled kernels, or ``None``, after a warning, where there can be none."""
    try:
        base = _base()
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = base / fingerprint()
        _private(path)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home directory
        warnings.warn(
            f"nb3d compiles its kernels anew in every process: there is no folder to keep them in ({error}). Set "
            "NB3D_CACHE_DIR to a folder of yours.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return path


@contextmanager
def locked() -> Iterator[None]:
    """Lets one process at a time compile into the folder."""
    path = folder()
    if path is None or fcntl is None:
        yield
        return
    with (path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file releases the lock


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
    """The entries of one function; a damaged one is dropped and compiled again."""

    _impl_class = _Entries

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Returns the compiled function, or ``None`` if it is not there or not readable."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # truncated or foreign pickles raise nearly anything
            self.flush()
            return None
