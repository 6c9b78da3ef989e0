"""What follows a sum before its block leaves L1: ``c = activation(c + residual)``. Sums begin with the bias."""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import types

from nb3d.kernels.activations import Activation
from nb3d.kernels.cpu.activate import apply
from nb3d.kernels.cpu.compile import Native, native
from nb3d.kernels.cpu.memory import pointer

SIGNATURE = types.void(*[types.int64] * 6)


@cache
def _finish(activation: int, dtype: str) -> Native:
    kind, size = np.dtype(dtype).type, np.dtype(dtype).itemsize

    @native(SIGNATURE)
    def finish(c, ldc, rows, filters, residual, numbers):
        """Rows of ``filters`` values, ``ldc`` bytes apart; addresses, 0 where absent."""
        parameters = pointer(numbers, np.float64)
        alpha, beta = kind(parameters[0]), kind(parameters[1])
        if ldc == filters * size:  # the rows follow each other: one long row, also for few filters
            filters, rows = filters * rows, 1
        for r in range(rows):
            values = pointer(c + r * ldc, kind)
            others = pointer(residual + r * ldc, kind)
            if residual != 0:
                for f in range(filters):
                    values[f] += others[f]
            for f in range(filters):
                values[f] = apply(activation, values[f], alpha, beta)

    return finish


def finish_address(activation: int, dtype: str, residual: bool) -> int:
    """Returns the address of the write-out, 0 where there is nothing to do."""
    if activation == Activation.LINEAR and not residual:
        return 0
    return _finish(int(activation), dtype).address
