"""What follows a sum before its block leaves L1: ``c = activation(c + bias + residual)``."""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import types

from nb3d.kernels.activations import Activation
from nb3d.kernels.cpu.activate import apply
from nb3d.kernels.cpu.compile import Native, native
from nb3d.kernels.cpu.memory import pointer

SIGNATURE = types.void(*[types.int64] * 7)


@cache
def _finish(activation: int, dtype: str) -> Native:
    kind = np.dtype(dtype).type

    @native(SIGNATURE)
    def finish(c, ldc, rows, filters, bias, residual, numbers):
        """Rows of ``filters`` values, ``ldc`` bytes apart; addresses, 0 where absent."""
        parameters = pointer(numbers, np.float64)
        alpha, beta = kind(parameters[0]), kind(parameters[1])
        offsets = pointer(bias, kind)
        for r in range(rows):
            values = pointer(c + r * ldc, kind)
            others = pointer(residual + r * ldc, kind)
            if bias != 0:
                for f in range(filters):
                    values[f] += offsets[f]
            if residual != 0:
                for f in range(filters):
                    values[f] += others[f]
            for f in range(filters):
                values[f] = apply(activation, values[f], alpha, beta)

    return finish


def finish_address(activation: int, dtype: str, bias: bool, residual: bool) -> int:
    """Returns the address of the write-out, 0 where there is nothing to do."""
    if activation == Activation.LINEAR and not (bias or residual):
        return 0
    return _finish(int(activation), dtype).address
