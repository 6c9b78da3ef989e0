"""A model file as bytes: opened once, of the kind that its name says, and unchanged until it has been read."""

from __future__ import annotations

import io
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
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
_CHUNK = 2**18  # bytes that are read at a time: they are still in the cache when their checksum is computed


class Window(io.RawIOBase):
    """Part of a file as a file of its own: a member of an archive is read in place.

    Args:
        stream: The whole file.
        offset: Where the part begins.
        size: Its length.
        checksum: CRC-32 of its bytes, where it is known.
        name: What it is called, for messages.
    """

    def __init__(
        self, stream: BinaryIO, offset: int, size: int, checksum: int | None = None, name: str = ""
    ) -> None:
        self._stream = stream
        self._offset = offset
        self._size = size
        self._checksum = checksum
        self._name = name
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a position within the part."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
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
        self._stream.seek(self._offset + self._position)
        done = 0
        while done < len(view) and end <= self._size:
            count = self._stream.readinto(view[done:])  # type: ignore[attr-defined]
            if not count:
                break
            done += count
        if done < len(view):
            raise ModelFileError("the content refers to bytes beyond its end", key=f"byte {end}")
        self._position = end
        return done

    def fill(self, places: Sequence[tuple[int, np.ndarray]]) -> None:
        """Reads arrays in one pass over the part, in the order in which they lie, and compares its checksum on the way.

        Args:
            places: Where each array begins, and the array: contiguous memory, which is overwritten.

        Raises:
            ModelFileError: If one does not lie in the part, or the checksum differs.
        """
        total, position = 0, 0
        between = np.empty(_CHUNK, np.uint8)
        for offset, array in sorted(places, key=lambda place: place[0]):
            if self._checksum is not None and offset > position:
                total = self._pass(between, position, offset - position, total)
            # An array that begins before the last one ends is read like the others; the checksum is bound to differ.
            total = self._pass(array.reshape(-1).view(np.uint8), offset, array.nbytes, total)
            position = offset + array.nbytes
        if self._checksum is None:
            return
        if self._pass(between, position, self._size - position, total) != self._checksum:
            raise ModelFileError("the content is damaged: its checksum differs", key=self._name)

    def _pass(self, memory: np.ndarray, offset: int, length: int, total: int) -> int:
        """Reads `length` bytes into `memory`, over and over where it is shorter; the checksum with them."""
        self.seek(offset)
        room = memory.nbytes
        for done in range(0, length, _CHUNK):
            size = min(_CHUNK, length - done)
            start = done if room >= length else 0
            part = memory[start : start + size]
            self.readinto(part)
            if self._checksum is not None:
                total = zlib.crc32(part.data, total)
        return total


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
        return Window(self.stream, 0, self.size)

    def check_unchanged(self) -> None:
        """Raises `ModelFileError` if somebody has written to the file since it was opened."""
        if self._now() != self._state:
            raise ModelFileError("it was changed while it was read")


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The file `path`, once its name and its first bytes agree on what it is; errors in the block name it.

    Raises:
        ModelFileError: If there is no such file, or it is a folder, empty, or of another kind.
    """
    name = os.fspath(path)
    with about(name):
        if not isinstance(name, str):
            raise TypeError(f"Expected the name of a file as a string, got {name!r}.")
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
