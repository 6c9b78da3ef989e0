"""Where the largest or smallest value of a column stands: the middle of ``(outer, length, inner)``.

A block has one column; its threads divide the length, and a tree in shared memory joins what they found. Among equals
the first wins, and NaN wins over all, as in NumPy. Shared memory: 256 values and their positions.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.door import cuda, device

THREADS = 256


def build(op: str, dtype: str):
    """Returns the kernel of ``argmax`` or ``argmin``."""
    kind, largest = np.dtype(dtype).type, op == "argmax"
    none = np.int64(-1)

    @device
    def wins(b, at_b, a, at_a):
        """Whether ``b`` wins over ``a``; a position of -1 is no value."""
        ahead = (b > a) if largest else (b < a)
        nan_a, nan_b = a != a, b != b
        better = (ahead & (not nan_a)) | (nan_b & (not nan_a))
        same = (b == a) | (nan_a & nan_b)
        return (at_b >= 0) & ((at_a < 0) | better | (same & (at_b < at_a)))

    def position(x, out, length, inner):
        values = cuda.shared.array(THREADS, dtype)
        places = cuda.shared.array(THREADS, "int64")
        t, column = cuda.threadIdx.x, np.int64(cuda.blockIdx.x)
        base = column // inner * length * inner + column % inner
        value, place = kind(0), none
        for at in range(np.int64(t), length, THREADS):
            seen = x[base + at * inner]
            if wins(seen, at, value, place):
                value, place = seen, at
        values[t] = value
        places[t] = place
        cuda.syncthreads()
        half = THREADS // 2
        while half > 0:
            if t < half and wins(values[t + half], places[t + half], values[t], places[t]):
                values[t] = values[t + half]
                places[t] = places[t + half]
            cuda.syncthreads()
            half //= 2
        if t == 0:
            out[column] = places[0]

    return position
