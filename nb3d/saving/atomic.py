"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def replacing(path: str, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A stream to a new file, which takes the name `path` when the block ends well.

    Until then it lies beside its place, so that the last step is one rename; if the block fails it is removed, and what
    was at `path` is still there.

    Args:
        path: The name; a symbolic link is kept and its target replaced.
        overwrite: Whether a file of that name may be replaced.

    Raises:
        FileExistsError: If there is one and it may not.
        IsADirectoryError: If it is a folder.
        OSError: If the system does not let it be written; `FileNotFoundError` if there is no such folder.
    """
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise IsADirectoryError(f"{path} is a folder; expected the name of a file")
    if not overwrite and os.path.lexists(target):
        raise FileExistsError(f"{path} is there already; overwrite=True replaces it.")
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name[:200]}.{secrets.token_hex(8)}.part")
    try:
        with _created(beside, path) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        with _naming(path):
            os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def _created(beside: str, path: str) -> BinaryIO:
    with _naming(path):
        return open(beside, "xb")  # closed by the caller's with


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Makes what the system refuses an error about `path`: the name beside it is nobody's business."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"the file cannot be written: {error.strerror or error}", path) from error
