"""Folders of compiled kernels, of every device: where they lie, whether they are safe, what is in them. Loads no Numba.

All lie in one place, a folder for every state of the sources and of the compilers of a device:
``<place>/<fingerprint>/``. What lies in one will be executed, so it belongs to the user alone; nobody else's files are
ever read or removed. Where there is no such folder, or no room in it, everything is compiled anew, after one warning.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: files are still replaced in one step, only work may be done twice
    fcntl = None  # type: ignore[assignment]

LOCK, VERSIONS = "lock", "versions.json"
CHECKSUM = 32  # bytes at the end of what `write` wrote: a truncated or damaged file counts as absent

Versions = tuple[tuple[str, str], ...]
"""The packages that compile for a device, each with its version."""

_FINGERPRINT = re.compile(r"[0-9a-f]{20}")
_CODE = r".*\.(nb[ic]|ptx|sm_\d+[a-z]?|passed)"  # Numba's two files; CUDA's `ptx`, one per architecture, a trial's
_OURS = re.compile(rf"{_CODE}(\.tmp\.\w+)?|{LOCK}|{re.escape(VERSIONS)}")


def place() -> Path:
    """Returns where the folders lie, whether it is there or not.

    Raises:
        RuntimeError: There is no home directory.
    """
    if own := os.environ.get("NB3D_CACHE_DIR"):
        return Path(own)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "nb3d"
    return Path.home() / ".cache" / "nb3d"  # without HOME, from the list of users


@cache
def fingerprint(compilers: Versions) -> str:
    """Returns a hash of the kernels' sources, Python and the compilers; what depends on the machine is not in it."""
    digest = hashlib.sha256(f"{compilers} {sys.version}".encode())
    kernels = Path(__file__).parent
    for source in sorted(kernels.rglob("*.py")):
        digest.update(source.relative_to(kernels).as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:20]


@cache
def folder(compilers: Versions) -> Path | None:
    """Returns the folder of compiled kernels, or ``None``, after a warning, where there can be none."""
    try:
        path = place() / fingerprint(compilers)
        make_private(path)
        tempfile.TemporaryFile(dir=path).close()  # raises where nothing can be written
        describe(path, compilers)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home directory
        _warn(f"there is no folder to keep them in ({error}). Set NB3D_CACHE_DIR to a folder of yours")
        return None
    return path


@cache
def _warn(why: str) -> None:
    warnings.warn(f"nb3d compiles its kernels anew in every process: {why}.", RuntimeWarning, stacklevel=2)


@contextmanager
def keeping() -> Iterator[None]:
    """A full disk or a folder that was closed meanwhile is no reason to fail: the kernel is there."""
    try:
        yield
    except OSError as error:
        _warn(f"they cannot be kept ({error.strerror or error})")


class Unsafe(PermissionError):
    """A folder that others may have put something into."""


def make_private(path: Path) -> None:
    """Makes sure that ``path`` is a folder of this user alone, in a place where nobody can exchange it.

    Raises:
        Unsafe: It is not.
        OSError: It cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    if not hasattr(os, "getuid"):
        return
    status, around = path.lstat(), path.parent.stat()
    if not stat.S_ISDIR(status.st_mode):
        raise Unsafe(f"{path} is a symbolic link")
    if status.st_uid != os.getuid():
        raise Unsafe(f"{path} belongs to another user")
    if status.st_mode & 0o022:
        raise Unsafe(f"{path} is writable by others")
    if around.st_mode & stat.S_IWOTH and not around.st_mode & stat.S_ISVTX:
        raise Unsafe(f"{path.parent} is writable by everybody")
    if stat.S_IMODE(status.st_mode) & 0o077:
        path.chmod(0o700)


def describe(path: Path, compilers: Versions) -> None:
    """Writes down in a new folder what its kernels are compiled with, for whoever looks at it later."""
    if (path / VERSIONS).exists():
        return
    from importlib import metadata  # here, for it takes long and is needed once

    versions = {}
    with suppress(metadata.PackageNotFoundError):  # nb3d, run from its sources
        versions["nb3d"] = metadata.version("nb3d")
    versions |= {**dict(compilers), "python": ".".join(map(str, sys.version_info[:3]))}
    (path / VERSIONS).write_text(json.dumps(versions), encoding="utf8")


@contextmanager
def locked(path: Path | None) -> Iterator[None]:
    """Lets one process at a time into a folder; where there is none or locks do not work, everybody.

    The folder may have been removed meanwhile (`clear`): it is made anew.

    Raises:
        Unsafe: Somebody else made it meanwhile.
    """
    lock = None if path is None or fcntl is None else _lock(path)
    try:
        yield
    finally:
        if lock is not None:
            lock.close()  # which releases it


def _lock(path: Path) -> IO[str] | None:
    while True:
        try:
            make_private(path)
            lock = (path / LOCK).open("w")
        except Unsafe:
            raise
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(lock.fileno()), (path / LOCK).stat()):
                return lock
        except FileNotFoundError:
            pass  # removed while we waited: the next one has another lock
        except OSError:
            lock.close()
            return None
        lock.close()


def read(path: Path) -> bytes | None:
    """Returns what `write` wrote to a file, ``None`` if it is absent or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    content, checksum = content[:-CHECKSUM], content[-CHECKSUM:]
    return content if hashlib.sha256(content).digest() == checksum else None


def write(path: Path, content: bytes) -> None:
    """Writes a file of a folder in one step, if that can be: the file is only a copy.

    Under the folder's lock, for a file that appears while the folder is being removed would keep it alive.
    """
    with keeping(), locked(path.parent):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # where there are no locks
        descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.tmp.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content + hashlib.sha256(content).digest())
            os.replace(name, path)
        except OSError:
            os.unlink(name)
            raise


@dataclass(frozen=True)
class Folder:
    """A folder of compiled kernels.

    Attributes:
        path: Where it lies; its name is the fingerprint.
        versions: What its kernels were compiled with; empty if that is not known.
        files: How many files of compiled code.
        size: Their bytes.
    """

    path: Path
    versions: Mapping[str, str]
    files: int
    size: int


def folders(at: Path) -> list[Folder]:
    """Returns the folders of all versions that lie in a place, the latest one first."""
    try:
        paths = list(at.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = [path for path in paths if _FINGERPRINT.fullmatch(path.name) and _is_own_folder(path)]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [_contents(path) for path in found]


def clear(at: Path) -> list[Folder]:
    """Removes the compiled kernels of all versions from a place, and nothing else; returns what there was.

    A process that is compiling finishes its kernel first; others compile anew what they need.
    """
    found = folders(at)
    for folder in found:
        with locked(folder.path):
            for path in _own_files(folder.path):
                path.unlink(missing_ok=True)
            with suppress(OSError):  # somebody else's files are in it
                folder.path.rmdir()
    return found


def _is_own_folder(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISDIR(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid())


def _own_files(path: Path) -> list[Path]:
    return [file for file in path.iterdir() if _OURS.fullmatch(file.name) and stat.S_ISREG(file.lstat().st_mode)]


def _contents(path: Path) -> Folder:
    try:
        versions = json.loads((path / VERSIONS).read_text(encoding="utf8"))
    except (OSError, ValueError):
        versions = {}
    code = [file.stat().st_size for file in _own_files(path) if file.name not in (LOCK, VERSIONS)]
    versions = {str(k): str(v) for k, v in versions.items()} if isinstance(versions, dict) else {}
    return Folder(path, versions, len(code), sum(code))
