"""The activations made of comparisons, on CUDA: one value per thread, the grid walking over the array.

Bound by memory: neighbouring threads read neighbouring values. Registers: under 16. A seam for the kernels to come: the
signature is the CPU's, the arrays are the device's.
"""

from __future__ import annotations

import math

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cuda.door import THREADS, blocks_for, cuda, kernel

FLOATS = ("float32", "float64")
LINEAR, HARD_TANH, THRESHOLD = Activation.LINEAR.value, Activation.HARD_TANH.value, Activation.THRESHOLD.value
CODES = {"linear": LINEAR, "relu": Activation.RELU.value, "hard_tanh": HARD_TANH, "threshold": THRESHOLD}


def accepts(case: Case) -> str | None:
    """Accepts floats."""
    if case.out_dtype not in FLOATS or case.dtypes != (case.out_dtype,):
        return f"needs one dtype of {' and '.join(FLOATS)}, got {', '.join((*case.dtypes, case.out_dtype))}"
    return None


@kernel
def _activate(x, out, code, alpha, beta):
    step = cuda.gridsize(1)
    for i in range(cuda.grid(1), x.size, step):
        value = x[i]
        if code == LINEAR:
            out[i] = value
        elif code == HARD_TANH:
            low = -1.0 if value < -1.0 else value
            out[i] = 1.0 if low > 1.0 else low
        elif code == THRESHOLD:
            out[i] = beta if value <= alpha else value
        else:
            below = alpha * value if alpha != 0.0 else (0.0 if value < 0.0 else value)
            y = value if value > 0.0 else below
            out[i] = beta if y > beta and value > 0.0 else y


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled for the GPU on its first call."""
    code, count = CODES[case.op], math.prod(case.out)
    launch = _activate[blocks_for(count), THREADS]

    def activation(x, out, scratch, alpha, beta):
        if count:
            launch(x.reshape(count), out.reshape(count), code, alpha, beta)

    return activation
