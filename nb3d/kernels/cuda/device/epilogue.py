"""What follows a sum: ``activation(sum + bias + residual)``, four filters of one voxel at a time.

Sums are in registers, and registers cannot be indexed in a loop that is not unrolled, which one with an activation in
it is not. So kernels put their sums into shared memory, every thread into its own words, and finish them from there:
half a percent of the work of a convolution with 16 channels.
"""

from __future__ import annotations

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.operations import activation
from nb3d.kernels.cuda.door import device


@device
def read_fours(array, at, left, fours):
    """Four values of a voxel, of which ``left`` exist; with ``fours`` all do, and 16 bytes are aligned."""
    if fours:
        e0, e1, e2, e3 = asm.load4(asm.global_address(array, at))
    else:
        e0 = array[at]
        e1 = array[at + 1] if left > 1 else e0
        e2 = array[at + 2] if left > 2 else e0
        e3 = array[at + 3] if left > 3 else e0
    return e0, e1, e2, e3


def writer(code: int):
    """Returns the function that finishes four sums; ``code`` is the number of the activation."""
    finish = activation(code)

    @device
    def write(out, residuals, to, left, fours, v0, v1, v2, v3, bias, alpha, beta):
        """Four sums, bias at an address of global memory, residuals if there are any.

        ``left`` filters exist from ``to`` on. With ``fours`` they are a multiple of 4, and 16 bytes are aligned. All
        threads agree on that and on residuals: ways that never part are cheaper than kernels to compile.
        """
        q0, q1, q2, q3 = asm.load4(bias)
        v0, v1, v2, v3 = v0 + q0, v1 + q1, v2 + q2, v3 + q3
        if residuals.size > 0:
            e0, e1, e2, e3 = read_fours(residuals, to, left, fours)
            v0, v1, v2, v3 = v0 + e0, v1 + e1, v2 + e2, v3 + e3
        v0, v1 = finish(v0, alpha, beta), finish(v1, alpha, beta)
        v2, v3 = finish(v2, alpha, beta), finish(v3, alpha, beta)
        if fours:
            asm.store4(asm.global_address(out, to), v0, v1, v2, v3)
        else:
            out[to] = v0
            if left > 1:
                out[to + 1] = v1
            if left > 2:
                out[to + 2] = v2
            if left > 3:
                out[to + 3] = v3

    return write
