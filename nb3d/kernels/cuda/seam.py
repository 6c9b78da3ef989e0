"""What the run time asks of a driver: the seam at which tests put an interpreter in place of a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np


class Driver(Protocol):
    """One GPU, its memory and one stream, in whose order everything happens."""

    @property
    def architecture(self) -> str:
        """What machine code must be made for: ``sm_90a``."""

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

    def assemble(self, ptx: str) -> bytes:
        """Returns machine code."""

    def load(self, code: bytes, entry: str, shared: int) -> Any:
        """Returns a kernel of machine code that may use so many bytes of dynamic shared memory."""

    def bind(self, kernel: Any, grid: tuple[int, int, int], threads: int, shared: int,
             parameters: list[tuple[str, Any]]) -> Callable[[], None]:  # fmt: skip
        """Returns a launch with all its parameters laid out, ready to be repeated."""

    def capture(self, run: Callable[[], None]) -> Callable[[], None] | None:
        """Returns all launches of ``run`` as one, ``None`` where the driver cannot do that."""
