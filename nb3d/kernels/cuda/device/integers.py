"""32-bit unsigned division: Numba would widen it to 64 bits, which is a call into a long routine."""

from __future__ import annotations

from numba import config

if config.ENABLE_CUDASIM:  # the simulator runs Python

    def udiv(a, b):
        """Inside kernels: ``a // b`` of integers from 0 to 2**31."""
        return a // b

    def umod(a, b):
        """Inside kernels: ``a % b`` of integers from 0 to 2**31."""
        return a % b

else:
    from numba.cuda import types
    from numba.cuda.extending import intrinsic

    @intrinsic
    def udiv(context, a, b):
        """Inside kernels: ``a // b`` of integers from 0 to 2**31."""

        def generate(ctx, builder, signature, arguments):
            return builder.udiv(*arguments)

        return types.int32(types.int32, types.int32), generate

    @intrinsic
    def umod(context, a, b):
        """Inside kernels: ``a % b`` of integers from 0 to 2**31."""

        def generate(ctx, builder, signature, arguments):
            return builder.urem(*arguments)

        return types.int32(types.int32, types.int32), generate
