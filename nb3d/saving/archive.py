"""The zip archive that is a ``.keras`` file: three members or four, read in memory and under caps, never extracted."""

from __future__ import annotations

import struct
import zipfile
import zlib

from nb3d.models.parsing import MAX_BYTES
from nb3d.saving.checksum import Checksum
from nb3d.saving.container import SELF_TEST
from nb3d.saving.errors import ModelFileError
from nb3d.saving.source import Read, Source, Window

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_MEMBERS = (METADATA, CONFIG, WEIGHTS, SELF_TEST)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAX_DIRECTORY = 64 * 1024  # bytes of the central directory; that of three members takes 200
_FLAG_ENCRYPTED = 0x1


class Archive:
    """The members of a ``.keras`` file.

    Args:
        source: The open file.

    Raises:
        ModelFileError: If it is no sound archive, or has members that are not expected, missing, doubled, encrypted or
            compressed in an unusual way.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        _check_directory(source)
        try:
            self._zip = zipfile.ZipFile(source.stream)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
            raise ModelFileError(f"the archive is truncated or damaged: {error}") from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            self._check(member)
            self._members[member.filename] = member
        missing = [name for name in (CONFIG, WEIGHTS) if name not in self._members]
        if missing:
            raise ModelFileError("members of the archive are missing", expected=missing, got=list(self._members))

    def _check(self, member: zipfile.ZipInfo) -> None:
        name = member.filename
        if name not in _MEMBERS:
            raise ModelFileError("the archive has an unexpected member", expected=list(_MEMBERS), got=repr(name))
        if name in self._members:
            raise ModelFileError("the member comes twice in the archive", key=name)
        if member.flag_bits & _FLAG_ENCRYPTED:
            raise ModelFileError("the member is encrypted", key=name)
        if member.compress_type not in _METHODS:
            got = f"compression method {member.compress_type}"
            raise ModelFileError("the member cannot be read", key=name, expected="stored or deflated", got=got)

    def text(self, name: str) -> bytes:
        """A JSON member; nothing for an absent one."""
        member = self._members.get(name)
        return b"" if member is None else self._inflated(member, MAX_BYTES)

    def weights(self, max_bytes: int) -> Window:
        """The HDF5 file inside the archive: in place where it is stored, in memory where it is compressed.

        Args:
            max_bytes: The most memory that it may take.
        """
        member = self._members[WEIGHTS]
        if member.compress_type == zipfile.ZIP_STORED:
            return Window(self._source.read_at, self._offset(member), member.file_size)
        content = self._inflated(member, max_bytes)
        return Window(_reader(content), 0, len(content))

    def checksum(self) -> Checksum | None:
        """That of the weights, where they are stored; to inflate them is to compare it."""
        member = self._members[WEIGHTS]
        if member.compress_type != zipfile.ZIP_STORED:
            return None
        return Checksum(self._source.read_at, self._offset(member), member.file_size, member.CRC, member.filename)

    def _inflated(self, member: zipfile.ZipInfo, limit: int) -> bytes:
        if member.file_size > limit:
            raise ModelFileError(
                "the member is too large", key=member.filename, expected=f"at most {limit} bytes", got=member.file_size
            )
        try:
            with self._zip.open(member) as stream:
                content = stream.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError) as error:
            raise ModelFileError(f"the member is damaged: {error}", key=member.filename) from error
        if len(content) != member.file_size:
            raise ModelFileError("the length differs", key=member.filename, expected=member.file_size, got=len(content))
        return content

    def _offset(self, member: zipfile.ZipInfo) -> int:
        """Where a stored member's bytes lie: behind its local header, whose name and extra field vary in length."""
        stream, size = self._source.stream, member.file_size
        stream.seek(member.header_offset)
        header = stream.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise ModelFileError("the member's header is damaged", key=member.filename)
        name_length, extra_length = (int(length) for length in struct.unpack("<HH", header[26:30]))
        name = stream.read(name_length)
        offset = member.header_offset + 30 + name_length + extra_length
        if name != member.filename.encode() or member.compress_size != size or offset + size > self._source.size:
            raise ModelFileError("the member does not lie where the directory says", key=member.filename)
        return offset


def _check_directory(source: Source) -> None:
    """Refuses a large directory before `zipfile` makes an object of every entry, and bytes behind it."""
    source.stream.seek(max(0, source.size - 42))
    tail = source.stream.read(42)
    end = tail[-22:]
    if end[:4] != b"PK\x05\x06" or end[-2:] != b"\0\0":
        raise ModelFileError("the archive is truncated, or bytes follow it")
    (length,) = struct.unpack("<L", end[12:16])
    if tail[:4] == b"PK\x06\x07":  # an archive beyond 4 GiB says it elsewhere
        (offset,) = struct.unpack("<Q", tail[8:16])
        source.stream.seek(min(offset, source.size))
        record = source.stream.read(56)
        length = struct.unpack("<Q", record[40:48])[0] if record[:4] == b"PK\x06\x06" else 2**64
    if length > _MAX_DIRECTORY:
        raise ModelFileError("the archive has too many members", expected=list(_MEMBERS))


def _reader(content: bytes) -> Read:
    """Reads from memory as `Source.read_at` does from a file."""
    whole = memoryview(content)

    def read(place: int, buffer: memoryview) -> bool:
        part = whole[place : place + len(buffer)]
        buffer[: len(part)] = part
        return len(part) == len(buffer)

    return read
