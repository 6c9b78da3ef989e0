"""How sums are divided, chosen by a test instead of the estimated time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nb3d.kernels.cuda import conv3d_halo, conv3d_mma, tiles
from nb3d.kernels.cuda.splits import Split


def divide(monkeypatch: pytest.MonkeyPatch, parts: int, run: int, filters: int = 32) -> None:
    """Gives every convolution ``parts`` parts of ``run`` pieces, and blocks of so many filters on tensor cores."""
    layout, split = tiles.layout, Split(parts, run, 0.0)
    monkeypatch.setattr(tiles, "layout", lambda kind, case: replace(layout(kind, case), split=split))
    monkeypatch.setattr(conv3d_halo, "split", lambda case: split)
    monkeypatch.setattr(conv3d_mma, "choice", lambda kind, case: (filters, split))
