"""A stream that looks at HDF5's global heaps before the HDF5 library does.

Strings of attributes lie in global heaps: objects one behind the other, each with an index and a length, the unused
rest as object 0. Where lengths are damaged the library (2.0 is one) may walk on the spot for ever, and no timeout of
Python reaches it there. So such a heap is never handed over.
"""

from __future__ import annotations

import io
import struct
from typing import Any, BinaryIO

from nb3d.saving.errors import ModelFileError

_SIGNATURE = b"GCOL\x01\0\0\0"
_HEADER = 16  # bytes: signature, version, size of the whole; of an object: index, references, size
LARGEST_LIST = 16 * 2**30  # bytes that a list of strings could take if each were the longest one in the file
_LARGEST_HEAP = 128 * 2**20
_LARGEST_READ = 64 * 1024  # heaps are begun with smaller reads; larger ones are values of weights


class HeapGuard(io.RawIOBase):
    """Passes reads on, and refuses those that begin a heap that does not add up.

    Args:
        stream: A readable, seekable stream.
    """

    def __init__(self, stream: BinaryIO | io.RawIOBase) -> None:
        self._stream: Any = stream
        self._longest = 0  # bytes of an object of the heaps so far
        self._allowed = LARGEST_LIST

    def expect(self, count: int) -> None:
        """Prepares for a list of strings, all of which may be the same long object of a heap.

        Raises:
            ModelFileError: If the longest object so far, so often, would be too much; later, if a new one would.
        """
        self._allowed = LARGEST_LIST // max(count, 1)
        self._check_length(self._longest)

    def _check_length(self, length: int) -> None:
        if length > self._allowed:
            raise ModelFileError("a list of strings could be larger than memory", expected=self._allowed, got=length)
        self._longest = max(self._longest, length)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a position."""
        moved: int = self._stream.seek(position, whence)
        return moved

    def tell(self) -> int:
        """The position."""
        position: int = self._stream.tell()
        return position

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer; what lies beyond the end is not made up of zeros."""
        start = self._stream.tell()
        view = memoryview(buffer).cast("B")
        count: int = self._stream.readinto(buffer)
        if count < len(view):
            raise ModelFileError("the HDF5 content refers to bytes beyond its end", key=f"byte {start + len(view)}")
        if count <= _LARGEST_READ:
            content = bytes(view)
            at = content.find(_SIGNATURE)
            while at >= 0:
                self._check(start + at)
                at = content.find(_SIGNATURE, at + 1)
            self._stream.seek(start + count)
        return count

    def _check(self, offset: int) -> None:
        """Raises `ModelFileError` unless the objects of a heap follow each other to its end."""
        self._stream.seek(offset)
        header = self._stream.read(_HEADER)
        (size,) = struct.unpack_from("<Q", header.ljust(_HEADER, b"\0"), 8)
        heap = self._stream.read(size - _HEADER) if _HEADER <= size <= _LARGEST_HEAP else b""
        position, seen = 0, set()
        while position + _HEADER <= len(heap):
            index, length = struct.unpack_from("<H6xQ", heap, position)
            step = length if index == 0 else _HEADER + (length + 7) // 8 * 8
            if index in seen or step < _HEADER or step > len(heap) - position:
                break
            if index:
                self._check_length(length)
            seen.add(index)
            position += step
        if len(heap) != size - _HEADER or len(heap) - position >= _HEADER:
            raise ModelFileError("a heap of strings in the HDF5 content is damaged", key=f"byte {offset + position}")
