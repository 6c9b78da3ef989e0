"""What every file of reference kernels shares: how it answers the table, and the precision it computes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nb3d.kernels.case import Case, Kernel


def serve(kernels: Mapping[str, Kernel]) -> tuple[Callable[[Case], str | None], Callable[[Case], Kernel]]:
    """Returns the ``accepts`` and ``load`` of a module that computes exactly the operations in ``kernels``."""

    def accepts(case: Case) -> str | None:
        return None if case.op in kernels else f"does not compute {case.op}"

    def load(case: Case) -> Kernel:
        return kernels[case.op]

    return accepts, load


def wide(array: np.ndarray) -> np.ndarray:
    """Returns ``array`` in the precision that references compute in: floats become ``float64``."""
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def write(result: np.ndarray, out: np.ndarray) -> None:
    """Writes ``result`` into ``out`` in one rounding; sizes must agree, axes of length 1 need not."""
    with np.errstate(all="ignore"):
        np.copyto(out, np.reshape(result, out.shape), casting="unsafe")
