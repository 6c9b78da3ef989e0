"""Memory of the interpreter: global memory with guards, and the shared memory of many blocks at once.

Every access is checked: its alignment, its bounds, and in shared memory that no other warp touched the same word since
the last barrier, unless both only read. That finds a missing barrier for certain, where running warps in random order
finds it by chance.
"""

from __future__ import annotations

import numpy as np

BASE = 1 << 40  # an address cut to 32 bits is out of bounds
GUARD = 256
SHARED_WINDOW = 1 << 46  # generic addresses of shared memory
POISON = 0xFF  # NaN in every float
MANY = 63  # readers in several warps


class Fault(Exception):
    """A kernel did what it must not do."""


def check_alignment(addresses: np.ndarray, size: int, what: str) -> None:
    """Raises ``Fault`` unless all addresses are multiples of ``size``."""
    if (addresses & np.uint64(size - 1)).any():
        bad = addresses[(addresses & np.uint64(size - 1)) != 0][0]
        raise Fault(f"misaligned {what} of {size} bytes at {int(bad):#x}")


class Global:
    """Global memory: one buffer, arrays in it, guards between them."""

    def __init__(self, capacity: int = 1 << 24) -> None:
        self.bytes = np.full(capacity, POISON, np.uint8)
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._next = GUARD

    @property
    def used(self) -> int:
        """Bytes that are taken, guards included."""
        return self._next

    def allocate(self, size: int) -> int:
        """Returns the address of ``size`` fresh bytes, poisoned."""
        start = self._next
        if start + size + GUARD > self.bytes.size:
            raise MemoryError(f"the interpreter's memory holds {self.bytes.size} bytes")
        self._starts.append(start)
        self._ends.append(start + size)
        self._next = -(-(start + size + GUARD) // GUARD) * GUARD
        return BASE + start

    def view(self, address: int, size: int) -> np.ndarray:
        """Returns the bytes from an address on, as the host sees them."""
        start = address - BASE
        return self.bytes[start : start + size]

    def offsets(self, addresses: np.ndarray, size: int) -> np.ndarray:
        """Returns where accesses of ``size`` bytes lie in the buffer, once they are found to lie in arrays."""
        at = addresses.astype(np.int64) - BASE
        which = np.searchsorted(self._starts, at, "right") - 1
        inside = which >= 0
        inside &= at + size <= np.asarray(self._ends or [0])[which]
        if not inside.all():
            bad = int(at[~inside][0]) + BASE
            raise Fault(f"global access out of bounds: {size} bytes at {bad:#x}")
        return at


class Shared:
    """The shared memory of ``blocks`` blocks, and who touched which word since the last barrier."""

    def __init__(self, blocks: int, size: int) -> None:
        self._size = size
        self._room = max(16, -(-size // 16) * 16)
        self.bytes = np.full(blocks * self._room, POISON, np.uint8)
        words = blocks * self._room // 4
        self._written = np.full(words, -1, np.int64)  # phase * 64 + warp
        self._read = np.full(words, -1, np.int64)
        self._phase = 0

    def barrier(self) -> None:
        """Every warp has arrived."""
        self._phase += 1

    def offsets(self, block: np.ndarray, addresses: np.ndarray, size: int) -> np.ndarray:
        """Returns where accesses lie in ``bytes``, once they are found to lie in their block's memory."""
        at = addresses.astype(np.int64)
        if (at < 0).any() or (at + size > self._size).any():
            bad = int(at[(at < 0) | (at + size > self._size)][0])
            raise Fault(f"shared access out of bounds: {size} bytes at {bad} of {self._size}")
        return at + block * self._room

    def note_read(self, at: np.ndarray, size: int, warp: np.ndarray) -> None:
        """Remembers a read by ``warp``; raises ``Fault`` if another warp wrote there since the last barrier."""
        mine = self._phase * 64 + warp
        for words in self._words(at, size):
            self._check(self._written[words], mine, "read of what another warp wrote")
            now = np.where(self._by_others(self._read[words], mine), self._phase * 64 + MANY, mine)
            self._read[words] = now
            others = self._read[words] != now  # warps that read in this very instruction
            self._read[words[others]] = self._phase * 64 + MANY

    def note_write(self, at: np.ndarray, size: int, warp: np.ndarray) -> None:
        """Remembers a write by ``warp``; raises ``Fault`` if another warp touched it since the last barrier."""
        mine = self._phase * 64 + warp
        for words in self._words(at, size):
            self._check(self._written[words], mine, "write over what another warp wrote")
            self._check(self._read[words], mine, "write over what another warp read")
            self._written[words] = mine
            self._check(self._written[words], mine, "write over what another warp writes")

    def _words(self, at: np.ndarray, size: int):
        for offset in range(0, size, 4):
            yield (at + offset) >> 2

    def _by_others(self, last: np.ndarray, mine: np.ndarray) -> np.ndarray:
        """Whether the last access was another warp's, since the last barrier: phases only grow."""
        return (last >= self._phase * 64) & (last != mine)

    def _check(self, last: np.ndarray, mine: np.ndarray, what: str) -> None:
        if self._by_others(last, mine).any():
            raise Fault(f"race in shared memory: {what} since the last barrier")
