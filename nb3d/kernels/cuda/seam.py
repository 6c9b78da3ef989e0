"""What the run time asks of a driver: the seam at which tests put an interpreter in place of a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np


class Driver(Protocol):
    """One GPU, its memory and one stream, in whose order everything happens unless a method says otherwise.

    Everything is asked for between ``enter`` and ``leave`` (``turn.Turn`` calls them), but for what may come from any
    thread at any time: ``free``, and waiting for what ``fetch`` copies.
    """

    @property
    def architecture(self) -> str:
        """What machine code must be made for: ``sm_90a``."""

    @property
    def number(self) -> int:
        """The GPU's number among those of this machine."""

    @property
    def stream(self) -> int:
        """The handle of the stream, for whoever shares memory with it."""

    def enter(self) -> None:
        """Makes the GPU's context that of this thread; may be repeated."""

    def leave(self) -> None:
        """Gives the thread the context that it had before the last ``enter``."""

    def allocate(self, size: int) -> int:
        """Returns the address of fresh memory of at least one byte, aligned to 256 bytes.

        Raises:
            MemoryError: If there is not so much.
        """

    def free(self, address: int) -> None:
        """Gives memory back."""

    def write(self, address: int, array: np.ndarray) -> None:
        """Copies a contiguous array to the GPU; it may be changed when the call returns."""

    def read(self, address: int, out: np.ndarray) -> None:
        """Copies from the GPU into a contiguous array, after everything that was asked for before."""

    def copy(self, address: int, source: int, size: int) -> None:
        """Copies bytes inside the GPU."""

    def finish(self) -> None:
        """Waits for everything that was asked for."""

    def pinned(self, size: int) -> np.ndarray:
        """Returns bytes of the host that ``send`` and ``fetch`` reach without a copy; they live as long as the array.

        Raises:
            MemoryError: If there are not so many.
        """

    def send(self, address: int, array: np.ndarray) -> None:
        """Copies a pinned array to the GPU, beside what runs there; whatever is asked for afterwards waits for it."""

    def fetch(self, address: int, out: np.ndarray) -> Callable[[], None]:
        """Copies from the GPU into a pinned array and returns at once; the call that is returned waits for it."""

    def wait_for(self, stream: int) -> None:
        """Lets everything that is asked for afterwards wait for what another stream has been given so far."""

    def let_wait(self, stream: int) -> None:
        """Lets what another stream is given afterwards wait for everything that was asked for so far."""

    def home_of(self, address: int) -> int | None:
        """Returns the number of the GPU in whose memory an address lies, ``None`` where no GPU can reach it."""

    def assemble(self, ptx: str) -> bytes:
        """Returns machine code."""

    def load(self, code: bytes, entry: str, shared: int) -> Any:
        """Returns a kernel of machine code that may use so many bytes of dynamic shared memory."""

    def bind(self, kernel: Any, grid: tuple[int, int, int], threads: int, shared: int,
             parameters: list[tuple[str, Any]]) -> Callable[[], None]:  # fmt: skip
        """Returns a launch with all its parameters laid out, ready to be repeated."""

    def capture(self, run: Callable[[], None]) -> Callable[[], None] | None:
        """Returns all launches of ``run`` as one, ``None`` where the driver cannot do that."""

    def elapsed(self, run: Callable[[], None], repeats: int) -> list[float]:
        """Returns the seconds that each of some runs took on the GPU."""
