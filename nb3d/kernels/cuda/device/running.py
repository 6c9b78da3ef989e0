"""Running sums and products along the middle of ``(outer, length, inner)``: a thread walks one column.

In the order of the definition, so rounding is that of a loop. Bound by memory where there are many columns, by latency
where there are few; such lengths are short in networks (positions of a sequence).
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.door import cuda


def build(op: str, dtype: str):
    """Returns the kernel of ``cumsum`` or ``cumprod``."""
    adding = op == "cumsum"
    start = np.dtype(dtype).type(0 if adding else 1)

    def running(x, out, columns, length, inner):
        column = cuda.blockIdx.x * np.int64(cuda.blockDim.x) + cuda.threadIdx.x
        if column >= columns:
            return
        begin = column // inner * length * inner + column % inner
        total = start
        for at in range(begin, begin + length * inner, inner):
            total = total + x[at] if adding else total * x[at]
            out[at] = total

    return running
