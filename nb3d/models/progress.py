"""A progress bar for work that takes long enough to wonder."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator

PATIENCE = 2.0  # seconds of work before a bar appears by itself


def progress(parts: Iterable[slice], total: int, verbose: str | int, title: str) -> Iterator[slice]:
    """Yields `parts`, showing on standard error how many of `total` samples are done.

    Args:
        parts: Slices of samples, as their work begins or ends.
        total: Number of samples.
        verbose: 0 never shows, 1 always, ``'auto'`` when the work is long and standard error is a terminal.
        title: What is being done.

    Raises:
        ValueError: If `verbose` is something else.
    """
    if verbose not in ("auto", 0, 1, 2, True, False):
        raise ValueError(f"verbose must be 'auto', 0 or 1, got {verbose!r}.")
    start = time.monotonic()
    shown = False
    for part in parts:
        yield part
        elapsed = time.monotonic() - start
        forced = verbose not in ("auto", 0, False)
        if forced or (verbose == "auto" and elapsed > PATIENCE and sys.stderr.isatty()):
            _show(title, part.stop, total, elapsed)
            shown = True
    if shown:
        sys.stderr.write("\n")


def _show(title: str, done: int, total: int, elapsed: float) -> None:
    width = 30
    filled = width * done // max(total, 1)
    left = elapsed / max(done, 1) * (total - done)
    bar = "#" * filled + "." * (width - filled)
    sys.stderr.write(f"\r{title} [{bar}] {done}/{total} {elapsed:.1f} s, {left:.1f} s left")
    sys.stderr.flush()
