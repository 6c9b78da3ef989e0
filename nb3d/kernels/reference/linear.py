"""Matrix products: the dense layer, ``matmul`` and ``einsum``, summed in ``float64``."""

from __future__ import annotations

from typing import Any

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.convolution import finish
from nb3d.kernels.reference.family import serve, wide, write


def dense(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, out: np.ndarray, scratch: np.ndarray,
    activation: int, alpha: float, beta: float,
) -> None:  # fmt: skip
    """``activation(x @ kernel + bias)``."""
    with np.errstate(all="ignore"):
        total = wide(x) @ wide(kernel)
    finish(total, bias, activation, alpha, beta, out)


def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
    """``numpy.matmul``: the last two axes are matrices, the others broadcast."""
    with np.errstate(all="ignore"):
        write(np.matmul(wide(a), wide(b)), out)


def einsum(*arguments: Any) -> None:
    """``numpy.einsum`` of any number of arrays."""
    *inputs, out, _scratch, equation = arguments
    with np.errstate(all="ignore"):
        write(np.einsum(equation, *map(wide, inputs)), out)


KERNELS: dict[str, Kernel] = {"dense": dense, "matmul": matmul, "einsum": einsum}

accepts, load = serve(KERNELS)
