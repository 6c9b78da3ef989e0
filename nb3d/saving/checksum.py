"""The checksum of part of a file, computed by a thread of its own while the rest of the program goes on."""

from __future__ import annotations

import threading
import zlib
from contextlib import suppress

from nb3d.saving.errors import ModelFileError
from nb3d.saving.source import Read

_CHUNK = 2**22  # bytes; between two chunks the thread waits for its turn with the interpreter


class Checksum:
    """A CRC-32 that bytes are to have. Its thread begins at once and ends with `stop` at the latest.

    Args:
        read: Fills a buffer from a place in the file.
        offset: Where the bytes begin.
        size: How many there are.
        expected: What their sum should be.
        name: What they are, for messages.
    """

    def __init__(self, read: Read, offset: int, size: int, expected: int, name: str) -> None:
        self._read = read
        self._begin = offset
        self._end = offset + size
        self._expected = expected
        self._name = name
        self._total: int | None = None
        self._stopped = False
        self._thread: threading.Thread | None = threading.Thread(target=self._run, name="nb3d checksum", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # there are no threads here, or no more of them
            self._thread = None
            self._run()

    def _run(self) -> None:
        total, buffer = 0, memoryview(bytearray(min(_CHUNK, self._end - self._begin)))
        with suppress(ModelFileError):  # whoever reads the same bytes is told, too
            for place in range(self._begin, self._end, _CHUNK):
                part = buffer[: self._end - place]
                if self._stopped or not self._read(place, part):
                    return
                total = zlib.crc32(part, total)
            self._total = total

    def check(self) -> None:
        """Waits for the sum.

        Raises:
            ModelFileError: If it is another one, or the bytes could not be read.
        """
        self._join()
        if self._total != self._expected:
            raise ModelFileError("the content is damaged: its checksum differs", key=self._name)

    def stop(self) -> None:
        """Ends the thread; the file may be closed afterwards."""
        self._stopped = True
        self._join()

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
