"""Parts of an array picked by index: ``out[outer, at, inner] = x[outer, index, inner]``, a value for each thread.

Indices are values, so nobody could check them before: what lies outside is NaN, where a host would raise an error.
"""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels.cuda.door import cuda


def build(dtype: str, each: bool):
    """Returns the kernel; with ``each``, every value of the result has an index of its own."""
    nothing = np.dtype(dtype).type(math.nan)

    def gather(x, indices, out, count, picked, size, inner):
        at = cuda.blockIdx.x * np.int64(cuda.blockDim.x) + cuda.threadIdx.x
        if at >= count:
            return
        place = at // inner
        index = np.int64(indices[at if each else place % picked])
        index = index + size if index < 0 else index
        inside = (index >= 0) & (index < size)
        out[at] = x[(place // picked * size + index) * inner + at % inner] if inside else nothing

    return gather
