"""Compiled kernels on disk, whatever the device: which folder is theirs, files that appear whole or not at all.

Loads no Numba. ``folders.py`` says where folders lie and what makes them safe.
"""

from __future__ import annotations

import hashlib
import os
import sys
import uuid
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path

from nb3d.kernels import folders

CHECKSUM = 32  # bytes at the end of a file: a truncated or damaged one counts as absent


@cache
def fingerprint(versions: str) -> str:
    """Returns a hash of the kernels' sources, Python and ``versions``, those of the compilers."""
    digest = hashlib.sha256(f"{versions} {sys.version}".encode())
    kernels = Path(__file__).parent
    for source in sorted(kernels.rglob("*.py")):
        digest.update(source.relative_to(kernels).as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:20]


def folder(versions: str) -> Path | None:
    """Returns the folder of compiled kernels, or ``None``, after a warning, where there can be none."""
    try:
        path = folders.place() / fingerprint(versions)
        folders.make_private(path)
        folders.describe(path)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home directory
        warn(f"there is no folder to keep them in ({error}). Set NB3D_CACHE_DIR to a folder of yours")
        return None
    return path


@cache
def warn(why: str) -> None:
    """Says once why nothing is kept."""
    warnings.warn(f"nb3d compiles its kernels anew in every process: {why}.", RuntimeWarning, stacklevel=2)


def read(path: Path) -> bytes | None:
    """Returns what ``write`` wrote to a file, ``None`` if it is absent or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    content, checksum = content[:-CHECKSUM], content[-CHECKSUM:]
    return content if hashlib.sha256(content).digest() == checksum else None


def write(path: Path, content: bytes) -> None:
    """Writes a file in one step; a full disk or a folder that is gone is no error, for the file is only a copy."""
    new = path.with_name(f"{path.name}.tmp.{uuid.uuid4().hex}")
    try:
        new.write_bytes(content + hashlib.sha256(content).digest())
        os.replace(new, path)
    except OSError as error:
        warn(f"they cannot be kept ({error.strerror or error})")
        with suppress(OSError):
            new.unlink()
