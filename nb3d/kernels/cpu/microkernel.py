"""The register tile: ``rows`` voxels x ``lanes * columns`` output channels of a product, summed in registers.

    C[m, :] = (C[m, :] or bias[:])
              + sum over runs r, k < length of  A[m * lda + offset_a[r] + k] * B[offset_b[r] + k * width : ... + width]

A *run* is a stretch of input values that lies contiguous in memory for every voxel, such as the ``kw * ci`` values
under one row of a convolution's kernel; a table gives where each run begins in A and B, in bytes. So one tile computes
any convolution: taps beyond the border are not in the table, dilated taps are runs of their own.

Emitted as LLVM vector code: per step one vector load of B per column block, one scalar broadcast of A per row, and
``rows * columns`` fused multiply-adds into accumulators that never leave their registers. The steps are unrolled by
two. Budget: ``rows * columns`` accumulators + ``columns`` vectors of B (+ 1 broadcast where the machine cannot
broadcast from memory), e.g. 14 x 2 + 2 = 30 of AVX-512's 32.

B is packed with its width padded by zeros; ``channels`` says how many columns of C exist, the last vectors are
masked.

The same tile computes depthwise convolutions when A is read as vectors too: column ``n`` of A times column ``n`` of B,
a tap being a run of length 1.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nb3d.kernels.cpu.compile import Native, native
from nb3d.kernels.cpu.host import fuses, vectors
from nb3d.kernels.cpu.memory import I1, I32, I64

UNROLL = 2


class _Vectors:
    """Builds vector instructions on addresses."""

    def __init__(self, builder: Any, dtype: str, lanes: int) -> None:
        self.builder = builder
        self.scalar = ir.FloatType() if dtype == "float32" else ir.DoubleType()
        self.kind = ir.VectorType(self.scalar, lanes)
        self.size = 4 if dtype == "float32" else 8
        self.lanes = lanes
        self.suffix = f"v{lanes}f{8 * self.size}"
        self.zero = ir.Constant(self.kind, [0.0] * lanes)
        self._undefined = ir.Constant(self.kind, ir.Undefined)

    def _function(self, name: str, result: Any, arguments: list[Any]) -> Any:
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)

    def _pointer(self, address: Any, kind: Any) -> Any:
        return self.builder.inttoptr(address, ir.PointerType(kind))

    def load(self, address: Any) -> Any:
        return self.builder.load(self._pointer(address, self.kind), align=self.size, typ=self.kind)

    def store(self, value: Any, address: Any) -> None:
        self.builder.store(value, self._pointer(address, self.kind), align=self.size)

    def load_masked(self, address: Any, mask: Any) -> Any:
        where = self._pointer(address, self.kind)
        arguments = [where, I32(self.size), mask, self.zero]
        name = f"llvm.masked.load.{self.suffix}.p0"
        return self.builder.call(self._function(name, self.kind, [a.type for a in arguments]), arguments)

    def store_masked(self, value: Any, address: Any, mask: Any) -> None:
        arguments = [value, self._pointer(address, self.kind), I32(self.size), mask]
        name = f"llvm.masked.store.{self.suffix}.p0"
        self.builder.call(self._function(name, ir.VoidType(), [a.type for a in arguments]), arguments)

    def mask(self, count: Any) -> Any:
        """True in the first ``count`` lanes."""
        numbers = ir.VectorType(I64, self.lanes)
        first = self.builder.insert_element(ir.Constant(numbers, ir.Undefined), count, I32(0))
        zeros = ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes)
        counts = self.builder.shuffle_vector(first, ir.Constant(numbers, ir.Undefined), zeros)
        return self.builder.icmp_signed("<", ir.Constant(numbers, list(range(self.lanes))), counts)

    def broadcast(self, address: Any) -> Any:
        value = self.builder.load(self._pointer(address, self.scalar), align=self.size, typ=self.scalar)
        first = self.builder.insert_element(self._undefined, value, I32(0))
        zeros = ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, self._undefined, zeros)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        name = "llvm.fma" if fuses() else "llvm.fmuladd"  # without hardware, a fused one is a call per lane
        return self.builder.call(self._function(f"{name}.{self.suffix}", self.kind, [self.kind] * 3), [a, b, c])


def _emit(builder: Any, vec: _Vectors, rows: int, columns: int, depthwise: bool, arguments: Any) -> None:
    a, lda, runs, count, length, b, c, ldc, accumulate, channels, bias = arguments
    size, width = vec.size, columns * vec.lanes
    tiles = [(m, n) for m in range(rows) for n in range(columns)]
    # Kept on the stack here, in registers after LLVM's promotion of memory to registers.
    sums = {tile: cgutils.alloca_once(builder, vec.kind) for tile in tiles}
    full = builder.icmp_signed(">=", channels, I64(width))

    def place(m: int, n: int) -> Any:
        return builder.add(builder.add(c, builder.mul(I64(m), ldc)), I64(n * vec.lanes * size))

    def masks() -> list[Any]:
        return [vec.mask(builder.sub(channels, I64(n * vec.lanes))) for n in range(columns)]

    def step(a_now: Any, b_now: Any, u: int) -> None:
        weights = [vec.load(builder.add(b_now, I64((u * width + n * vec.lanes) * size))) for n in range(columns)]
        for m in range(rows):
            offset = builder.add(builder.mul(I64(m), lda), I64(u * size))
            row = builder.add(a_now, offset)
            if depthwise:
                values = [vec.load(builder.add(row, I64(n * vec.lanes * size))) for n in range(columns)]
            else:
                values = [vec.broadcast(row)] * columns
            for n in range(columns):
                builder.store(vec.multiply_add(values[n], weights[n], builder.load(sums[m, n])), sums[m, n])

    with builder.if_else(builder.icmp_signed("!=", accumulate, I64(0))) as (more, fresh):
        with more, builder.if_else(full) as (whole, partial):
            with whole:
                for m, n in tiles:
                    builder.store(vec.load(place(m, n)), sums[m, n])
            with partial:
                mask = masks()
                for m, n in tiles:
                    builder.store(vec.load_masked(place(m, n), mask[n]), sums[m, n])
        with fresh, builder.if_else(builder.icmp_signed("!=", bias, I64(0))) as (some, none):
            with some:
                mask = masks()
                for n in range(columns):
                    start = vec.load_masked(builder.add(bias, I64(n * vec.lanes * size)), mask[n])
                    for m in range(rows):
                        builder.store(start, sums[m, n])
            with none:
                for tile in tiles:
                    builder.store(vec.zero, sums[tile])

    with cgutils.for_range(builder, count) as run:
        entry = builder.add(runs, builder.mul(run.index, I64(16)))
        where = [builder.inttoptr(builder.add(entry, I64(8 * i)), ir.PointerType(I64)) for i in range(2)]
        a_run = builder.add(a, builder.load(where[0], typ=I64))
        b_run = builder.add(b, builder.load(where[1], typ=I64))
        rounds = builder.ashr(length, I64(1))
        with cgutils.for_range(builder, rounds) as pair:
            a_now = builder.add(a_run, builder.mul(pair.index, I64(UNROLL * size)))
            b_now = builder.add(b_run, builder.mul(pair.index, I64(UNROLL * size * width)))
            for u in range(UNROLL):
                step(a_now, b_now, u)
        with builder.if_then(builder.trunc(length, I1)):
            done = builder.mul(rounds, I64(UNROLL))
            last = builder.add(b_run, builder.mul(done, I64(size * width)))
            step(builder.add(a_run, builder.mul(done, I64(size))), last, 0)

    with builder.if_else(full) as (whole, partial):
        with whole:
            for m, n in tiles:
                vec.store(builder.load(sums[m, n]), place(m, n))
        with partial:
            mask = masks()
            for m, n in tiles:
                vec.store_masked(builder.load(sums[m, n]), place(m, n), mask[n])


@intrinsic(prefer_literal=True)
def _tile(
    context, rows, columns, lanes, depthwise, dtype, a, lda, runs, count, length, b, c, ldc, accumulate, channels,
    bias,
):  # fmt: skip
    shape = tuple(t.literal_value for t in (rows, columns, lanes, depthwise))
    name = str(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _emit(builder, _Vectors(builder, name, shape[2]), shape[0], shape[1], bool(shape[3]), arguments[5:])
        return ctx.get_dummy_value()

    return types.void(rows, columns, lanes, depthwise, dtype, *[types.int64] * 11), generate


@cache
def tile(rows: int, columns: int, dtype: str, depthwise: bool = False) -> Native:
    """Returns the register tile of so many rows and vectors of columns.

    Its arguments, all ``int64``, addresses and distances in bytes: ``a, lda, runs, count, length, b, c, ldc,
    accumulate, channels, bias``; ``length`` in values, ``bias`` 0 where there is none.
    """
    lanes = lanes_of(dtype)
    kind, vectors_of_a = np.dtype(dtype).type, int(depthwise)

    @native(types.void(*[types.int64] * 11))
    def register_tile(a, lda, runs, count, length, b, c, ldc, accumulate, channels, bias):
        _tile(
            rows, columns, lanes, vectors_of_a, kind, a, lda, runs, count, length, b, c, ldc, accumulate, channels, bias
        )

    return register_tile


def lanes_of(dtype: str) -> int:
    """Returns how many values of ``dtype`` a vector of this machine holds."""
    return vectors().size // np.dtype(dtype).itemsize


def most_rows(columns: int) -> int:
    """Returns how many rows a tile of so many vectors of columns may have without spilling."""
    return min((vectors().count - columns - 1) // columns, 14)
