"""Attributes of HDF5 objects, read from the bytes of the file and not by the HDF5 library.

The library believes the lengths of strings: a damaged one makes it ask for 4 GiB, and a damaged heap (strings of
variable length lie in one) can make it walk on the spot for ever, where no timeout of Python reaches it. Here every
length is compared with what is there before anything is read.

Source: HDF5 File Format Specification 3.0, IV.A (object headers), III.E (global heaps).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from nb3d.saving.errors import ModelFileError
from nb3d.saving.source import Window

MAX_NAMES = 100_000  # in one list of names
MAX_TEXT = 64 * 2**20  # bytes of all strings of one attribute
_MAX_HEADER = 16 * 2**20  # bytes of the header of one object
_MAX_HEAP = 128 * 2**20

_ATTRIBUTE, _CONTINUATION, _ATTRIBUTE_INFO = 0x0C, 0x10, 0x15  # kinds of messages in a header
_SHARED = 0x02
_STRING, _VARIABLE = 3, 9  # classes of datatypes
_UNDEFINED = 2**64 - 1


@dataclass(frozen=True)
class Attribute:
    """An attribute as it lies in the header of its object.

    Attributes:
        kind: Class of its datatype.
        size: Bytes of one value.
        count: Number of values.
        data: The bytes of the values; for strings of variable length, where they lie.
    """

    kind: int
    size: int
    count: int
    data: bytes

    @property
    def is_text(self) -> bool:
        """Whether it holds strings."""
        return self.kind in (_STRING, _VARIABLE)


class Attributes:
    """The attributes in an HDF5 file.

    Args:
        stream: The file.

    Raises:
        ModelFileError: If addresses in it are not of 64 bits, as in every file that Keras wrote.
    """

    def __init__(self, stream: Window) -> None:
        self._stream = stream
        self._heaps: dict[int, dict[int, tuple[int, int]]] = {}
        head = self._bytes(0, 16)
        sizes = head[13:15] if head[8] < 2 else head[9:11]
        if sizes != b"\x08\x08":
            raise ModelFileError("the HDF5 content has addresses of another size", expected=[8, 8], got=list(sizes))

    def _bytes(self, address: int, length: int) -> bytes:
        if address + length > self._stream.size:
            raise ModelFileError("the content refers to bytes beyond its end", key=f"byte {address + length}")
        self._stream.seek(address)
        buffer = bytearray(length)
        self._stream.readinto(buffer)
        return bytes(buffer)

    def of(self, address: int) -> dict[str, Attribute]:
        """The attributes of the object whose header lies at `address`, by name.

        Raises:
            ModelFileError: If the header is damaged, or keeps attributes elsewhere.
        """
        found = {}
        try:
            for kind, flags, data in self._messages(address):
                if kind == _ATTRIBUTE_INFO and _dense(data):
                    raise ModelFileError("attributes lie outside the header of their object", key=f"byte {address}")
                if kind == _ATTRIBUTE:
                    if flags & _SHARED:
                        raise ModelFileError("an attribute is shared between objects", key=f"byte {address}")
                    name, attribute = _attribute(data)
                    found[name] = attribute
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            raise ModelFileError(f"the header of an HDF5 object is damaged: {error}", key=f"byte {address}") from error
        return found

    # -- headers ---------------------------------------------------------------------------------------------------

    def _messages(self, address: int) -> Iterator[tuple[int, int, bytes]]:
        """Kind, flags and data of the messages in a header, those of its continuations included."""
        start = self._bytes(address, 16)
        if start[:4] == b"OHDR":
            version, flags = start[4], start[5]
            position = address + 6 + 16 * bool(flags & 0x20) + 4 * bool(flags & 0x10)
            width = 1 << (flags & 3)
            size = int.from_bytes(self._bytes(position, width), "little")
            waiting = [(position + width, size)]
        else:
            version, flags = start[0], 0
            waiting = [(address + 16, struct.unpack_from("<I", start, 8)[0])]
        if version not in (1, 2):
            raise ModelFileError("the header of an HDF5 object is damaged", key=f"byte {address}")
        total, seen = 0, set()
        while waiting:
            position, size = waiting.pop(0)
            total += size
            if position in seen or total > _MAX_HEADER:
                raise ModelFileError("the header of an HDF5 object never ends", key=f"byte {address}")
            seen.add(position)
            for kind, marks, data in _split(self._bytes(position, size), version, bool(flags & 0x04)):
                if kind == _CONTINUATION:
                    place, length = struct.unpack_from("<QQ", data)
                    # In newer headers a continuation has a signature before its messages and a checksum behind them.
                    waiting.append((place, length) if version == 1 else (place + 4, max(length - 8, 0)))
                else:
                    yield kind, marks, data

    # -- strings ---------------------------------------------------------------------------------------------------

    def texts(self, attribute: Attribute, key: str) -> list[str]:
        """The strings of an attribute.

        Args:
            attribute: The attribute; `is_text` must be true.
            key: Its place, for messages.

        Raises:
            ModelFileError: If they are too many or too long, damaged, or no UTF-8 text.
        """
        if attribute.count > MAX_NAMES:
            expected = f"at most {MAX_NAMES} names"
            raise ModelFileError("the list is too long", key=key, expected=expected, got=attribute.count)
        if len(attribute.data) < attribute.count * attribute.size:
            raise ModelFileError("the values of the attribute are not all there", key=key)
        parts = [attribute.data[at : at + attribute.size] for at in _steps(attribute)]
        if attribute.kind == _VARIABLE:
            places = [struct.unpack("<IQI", part) for part in parts]
            total = sum(length for length, *_ in places)
            if total > MAX_TEXT:
                raise ModelFileError("the text is too long", key=key, expected=f"at most {MAX_TEXT} bytes", got=total)
            parts = [self._of_heap(length, heap, index, key) for length, heap, index in places]
        try:
            return [part.split(b"\0", 1)[0].decode("utf8") for part in parts]
        except UnicodeDecodeError as error:
            raise ModelFileError(f"this attribute is no UTF-8 text: {error}", key=key) from error

    def _of_heap(self, length: int, heap: int, index: int, key: str) -> bytes:
        """A string of variable length."""
        if length == 0:
            return b""
        if heap not in self._heaps:
            self._heaps[heap] = self._objects(heap)
        place, size = self._heaps[heap].get(index, (0, 0))
        if length > size:
            raise ModelFileError("a string is longer than its place in the file", key=key, expected=size, got=length)
        return self._bytes(place, length)

    def _objects(self, address: int) -> dict[int, tuple[int, int]]:
        """Index -> place and size of the objects in a heap, which must follow each other to its end."""
        header = self._bytes(address, 16)
        size = int.from_bytes(header[8:], "little")
        sound = header[:8] == b"GCOL\x01\0\0\0" and 16 <= size <= _MAX_HEAP
        content = self._bytes(address, size) if sound else b""
        found: dict[int, tuple[int, int]] = {}
        position = 16
        while sound and position + 16 <= size:
            index, length = struct.unpack_from("<H6xQ", content, position)
            step = length if index == 0 else 16 + (length + 7) // 8 * 8  # object 0 is the unused rest, header included
            sound = index not in found and 16 <= step <= size - position
            found[index] = (address + position + 16, length)
            position += step
        if not sound:
            raise ModelFileError("a heap of strings in the HDF5 content is damaged", key=f"byte {address + position}")
        found.pop(0, None)
        return found


def _steps(attribute: Attribute) -> range:
    return range(0, attribute.count * attribute.size, max(attribute.size, 1))


def _split(block: bytes, version: int, ordered: bool) -> Iterator[tuple[int, int, bytes]]:
    """The messages of one block of a header; those of newer headers may carry the order of their creation."""
    head = 8 if version == 1 else 6 if ordered else 4
    position = 0
    while position + head <= len(block):
        if version == 1:
            kind, size, flags = struct.unpack_from("<HHB", block, position)
        else:
            kind, size, flags = struct.unpack_from("<BHB", block, position)
        position += head
        if position + size > len(block):
            raise ModelFileError("a message in the header of an HDF5 object is longer than the header")
        yield kind, flags, block[position : position + size]
        position += size


def _attribute(data: bytes) -> tuple[str, Attribute]:
    version, flags, name_size, type_size, space_size = struct.unpack_from("<BBHHH", data)
    if version not in (1, 2, 3) or (version > 1 and flags & 3):
        raise ModelFileError("an attribute is stored in a form that is not read", got=f"version {version}")
    position = 9 if version == 3 else 8
    parts = []
    for size in (name_size, type_size, space_size):
        parts.append(data[position : position + size])
        position += (size + 7) // 8 * 8 if version == 1 else size
    name, datatype, space = parts
    kind, size = datatype[0] & 0x0F, int(struct.unpack_from("<I", datatype, 4)[0])
    if kind == _VARIABLE and (datatype[1] & 0x0F != 1 or size != 16):
        kind, size = -1, 1  # a sequence, not a string
    return name.split(b"\0", 1)[0].decode("utf8"), Attribute(kind, size, _count(space), data[position:])


def _count(space: bytes) -> int:
    """The number of values that a dataspace has room for."""
    version, rank = space[0], space[1]
    if version == 2 and space[3] == 2:  # of nothing
        return 0
    sizes = struct.unpack_from(f"<{rank}Q", space, 8 if version == 1 else 4)
    return math.prod(sizes)


def _dense(info: bytes) -> bool:
    """Whether the attributes of an object lie in a heap of their own, as where they are many."""
    (address,) = struct.unpack_from("<Q", info, 4 if info[1] & 1 else 2)
    return bool(address != _UNDEFINED)
