"""A model file as bytes: opened once, of the kind that its name says, and unchanged until it has been read."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from nb3d.models.files import Path
from nb3d.saving.errors import ModelFileError, about

ZIP, HDF5, SAFETENSORS = "a .keras archive", "an HDF5 file", "a safetensors file"
_MAGIC = {ZIP: (0, b"PK\x03\x04"), HDF5: (0, b"\x89HDF\r\n\x1a\n"), SAFETENSORS: (8, b"{")}
ENDINGS = {
    ".keras": ZIP, ".h5": HDF5, ".hdf5": HDF5, ".hdf": HDF5, ".hd5": HDF5, ".safetensors": SAFETENSORS,
}  # fmt: skip
Read = Callable[[int, memoryview], bool]


class Window(io.RawIOBase):
    """Part of a file as a file of its own: a member of an archive is read in place.

    Args:
        read: Fills a buffer from a place in the whole file; says whether the file reaches so far.
        offset: Where the part begins.
        size: Its length, in bytes.
    """

    def __init__(self, read: Read, offset: int, size: int) -> None:
        self._read = read
        self._offset = offset
        self.size = size
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a position within the part."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, base + position)
        return self._position

    def tell(self) -> int:
        """The position within the part."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer; what lies beyond the end is not made up of zeros, as the HDF5 library does.

        Raises:
            ModelFileError: If the part does not reach so far.
        """
        view = memoryview(buffer).cast("B")
        end = self._position + len(view)
        if end > self.size or not self._read(self._offset + self._position, view):
            raise ModelFileError("the content refers to bytes beyond its end", key=f"byte {end}")
        self._position = end
        return len(view)

    def fill(self, places: Sequence[tuple[int, np.ndarray]]) -> None:
        """Reads arrays, in the order in which they lie.

        Args:
            places: Where each array begins, and the array: contiguous memory, which is overwritten.

        Raises:
            ModelFileError: If one does not lie in the part.
        """
        for offset, array in sorted(places, key=lambda place: place[0]):
            self.seek(offset)
            self.readinto(array.reshape(-1).view(np.uint8))


class Source:
    """An open model file.

    Attributes:
        name: The file's name, for messages.
        kind: `ZIP`, `HDF5` or `SAFETENSORS`.
        stream: The open file.
        size: Its length in bytes.
    """

    def __init__(self, name: str, kind: str, stream: BinaryIO) -> None:
        self.name = name
        self.kind = kind
        self.stream = stream
        self._state = self._now()
        self.size = self._state[0]

    def _now(self) -> tuple[int, int]:
        status = os.fstat(self.stream.fileno())
        return status.st_size, status.st_mtime_ns

    def window(self) -> Window:
        """The whole file."""
        return Window(self.read_at, 0, self.size)

    def read_at(self, place: int, buffer: memoryview) -> bool:
        """Fills a buffer from a place in the file; says whether the file reaches so far."""
        done = 0
        try:
            while done < len(buffer):
                count = self._read_some(place + done, buffer[done:])
                if not count:
                    return False
                done += count
        except OSError as error:
            raise ModelFileError(f"it cannot be read: {error.strerror or error}") from error
        return True

    def _read_some(self, place: int, buffer: memoryview) -> int:
        if hasattr(os, "preadv"):  # one call to the system instead of two, and no second copy
            return os.preadv(self.stream.fileno(), [buffer], place)
        self.stream.seek(place)
        return self.stream.readinto(buffer)  # type: ignore[attr-defined,no-any-return]

    def check_unchanged(self) -> None:
        """Raises `ModelFileError` if somebody has written to the file since it was opened."""
        if self._now() != self._state:
            raise ModelFileError("it was changed while it was read")


def file_name(path: Path) -> str:
    """A path as text.

    Raises:
        TypeError: If it is none, or one of bytes.
    """
    name = os.fspath(path)
    if not isinstance(name, str):
        raise TypeError(f"Expected the name of a file as a string, got {name!r}.")
    return name


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The file `path`, once its name and its first bytes agree on what it is; errors in the block name it.

    Raises:
        ModelFileError: If there is no such file, or it is a folder, empty, or of another kind.
    """
    name = file_name(path)
    with about(name):
        kind = kind_of_name(name)
        with _open(name) as stream:
            head = stream.read(16)
            if not head:
                raise ModelFileError("the file is empty")
            actual = next((other for other, (at, magic) in _MAGIC.items() if head.startswith(magic, at)), "neither")
            if actual != kind:
                raise ModelFileError("the content is not what the name says", expected=kind, got=actual)
            yield Source(name, kind, stream)


def kind_of_name(name: str) -> str:
    """What a file should be, by the end of its name.

    Raises:
        ModelFileError: If the name has no ending that belongs to model files.
    """
    ending = os.path.splitext(name)[1].lower()
    if ending == ".json":
        raise ModelFileError("a configuration alone is read with nb3d.models.model_from_json(text)")
    if ending not in ENDINGS:
        expected = f"one of {', '.join(ENDINGS)}"
        raise ModelFileError("the ending of the name does not say what it is", expected=expected, got=repr(ending))
    return ENDINGS[ending]


def _open(name: str) -> BinaryIO:
    try:
        mode = os.stat(name).st_mode
        if stat.S_ISDIR(mode):
            raise ModelFileError("it is a folder, such as TensorFlow's SavedModel; save the model as one .keras file")
        if not stat.S_ISREG(mode):
            raise ModelFileError("it is no regular file")
        return open(name, "rb")  # closed by the caller's with
    except FileNotFoundError:
        raise ModelFileError("there is no such file") from None
    except (OSError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"it cannot be opened: {getattr(error, 'strerror', None) or error}") from error
