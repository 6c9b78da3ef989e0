"""What compiling costs: counted for `nb3d.warmup`, and said aloud where somebody waits for it. Loads no Numba.

After a second of compiling a process writes one line to standard error. It is no warning, so no filter turns it into
an error. The environment variable ``NB3D_QUIET=1`` keeps it back, and so does ``verbose=0`` of a prediction.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

PATIENCE = 1.0  # seconds of compiling before somebody wonders


@dataclass(frozen=True)
class Count:
    """Kernels that became ready to run.

    Attributes:
        compiled: Those that were compiled.
        found: Those that were found on disk.
        seconds: That compiling took.
    """

    compiled: int = 0
    found: int = 0
    seconds: float = 0.0

    def since(self, before: Count) -> Count:
        """Returns what came after another count."""
        return Count(self.compiled - before.compiled, self.found - before.found, self.seconds - before.seconds)

    def __str__(self) -> str:
        kernels = "kernel" if self.compiled == 1 else "kernels"
        return f"{self.compiled} {kernels} compiled in {self.seconds:.1f} s, {self.found} found on disk"


_count = Count()
_heard = 0.0  # seconds of compiling that were not to be kept quiet
_told = False
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


def count() -> Count:
    """Returns the count so far."""
    return _count


@contextmanager
def quietly(quiet: bool) -> Iterator[None]:
    """Inside the block nothing is said about compiling, if ``quiet``."""
    token = _quiet.set(quiet or _quiet.get())
    try:
        yield
    finally:
        _quiet.reset(token)


def found() -> None:
    """Counts a kernel that was on disk."""
    global _count
    _count = replace(_count, found=_count.found + 1)


def compiled(seconds: float, kept_in: object) -> None:
    """Counts a kernel that was compiled, and tells if that has taken long.

    Args:
        seconds: That it took.
        kept_in: The folder where it lies now; ``None`` if there is none.
    """
    global _count, _heard, _told
    _count = replace(_count, compiled=_count.compiled + 1, seconds=_count.seconds + seconds)
    if _told or _quiet.get() or os.environ.get("NB3D_QUIET", "0") not in ("", "0"):
        return
    _heard += seconds
    if _heard > PATIENCE and sys.stderr is not None:
        _told = True
        often = f"once per machine and version (kept in {kept_in})" if kept_in else "in every process anew"
        print(f"nb3d compiles its kernels, {often}; NB3D_QUIET=1 hides this line.", file=sys.stderr, flush=True)
