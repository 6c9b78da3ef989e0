"""What follows a sum: ``activation(sum + bias + residual)``, four filters of one voxel at a time.

Sums are in registers, and registers cannot be indexed in a loop that is not unrolled, which one with an activation in
it is not. So kernels put their sums into shared memory, every thread into its own words, and finish them from there:
half a percent of the work of a convolution with 16 channels.
"""

from __future__ import annotations

from nb3d.kernels.cuda.device import asm
from nb3d.kernels.cuda.device.operations import activation
from nb3d.kernels.cuda.door import device


def writer(code: int, residual: bool, whole: bool):
    """Returns the function that finishes four sums.

    Args:
        code: Number of the activation.
        residual: Whether there is a residual.
        whole: Whether four filters can be written at once: they are a multiple of 4, and 16 bytes are aligned.
    """
    finish = activation(code)

    @device
    def write(out, residuals, to, left, sums, bias, alpha, beta):
        """Sums at an address of shared memory, bias at one of global memory; ``left`` filters exist from ``to`` on."""
        v0, v1, v2, v3 = asm.shared4(sums)
        q0, q1, q2, q3 = asm.load4(bias)
        v0, v1, v2, v3 = v0 + q0, v1 + q1, v2 + q2, v3 + q3
        if whole:
            if residual:
                e0, e1, e2, e3 = asm.load4(asm.global_address(residuals, to))
                v0, v1, v2, v3 = v0 + e0, v1 + e1, v2 + e2, v3 + e3
            asm.store4(
                asm.global_address(out, to), finish(v0, alpha, beta), finish(v1, alpha, beta), finish(v2, alpha, beta),
                finish(v3, alpha, beta),
            )  # fmt: skip
        else:
            out[to] = finish(v0 + residuals[to] if residual else v0, alpha, beta)
            if left > 1:
                out[to + 1] = finish(v1 + residuals[to + 1] if residual else v1, alpha, beta)
            if left > 2:
                out[to + 2] = finish(v2 + residuals[to + 2] if residual else v2, alpha, beta)
            if left > 3:
                out[to + 3] = finish(v3 + residuals[to + 3] if residual else v3, alpha, beta)

    return write
