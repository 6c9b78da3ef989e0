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

Few columns take vectors of half or a quarter of a register. One such column is bound by a load per multiply-add, of
which Zen 4 has two a cycle: with 22 rows 84 % of peak, with 13 rows 77 %, so one column may have up to 24 rows.
Rejected: the length of a run as a constant, its steps unrolled: faster by 10 % for runs of 3, slower for most others;
all steps of a row together, so that its address is computed once: no faster.

The same tile computes convolutions of small groups when A is read as vectors too, a tap being a run of length 1: the
vector holds the channels of several groups, and for each of the ``s`` channels that a filter sees they are permuted so
that every lane has the channel of its own group. Depthwise convolutions, ``s = 1``, need no permutation.
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
from nb3d.kernels.cpu.host import vectors
from nb3d.kernels.cpu.memory import I1, I32, I64
from nb3d.kernels.cpu.vector_code import Vectors

UNROLL = 2
SMALLEST_VECTOR = 16  # bytes
KEPT, SENT, SENT_RELU = range(3)


def _emit(
    builder: Any, vec: Vectors, rows: int, columns: int, seen: int, made: int, tail: int, arguments: Any
) -> None:  # fmt: skip
    a, lda, runs, count, length, b, c, ldc, accumulate, channels, bias = arguments
    size, width = vec.size, columns * vec.lanes
    each = max(seen, 1)  # vectors of B per value of a run and column
    lanes = [[lane // max(made, 1) * seen + c for lane in range(vec.lanes)] for c in range(each)]
    orders = [ir.Constant(ir.VectorType(I32, vec.lanes), order) for order in lanes]
    tiles = [(m, n) for m in range(rows) for n in range(columns)]
    # Kept on the stack here, in registers after LLVM's promotion of memory to registers.
    sums = {tile: cgutils.alloca_once(builder, vec.kind) for tile in tiles}
    full = builder.icmp_signed(">=", channels, I64(width))

    def place(m: int, n: int) -> Any:
        return builder.add(builder.add(c, builder.mul(I64(m), ldc)), I64(n * vec.lanes * size))

    def masks() -> list[Any]:
        return [vec.mask(builder.sub(channels, I64(n * vec.lanes))) for n in range(columns)]

    def step(a_now: Any, b_now: Any, u: int) -> None:
        places = [(c, n) for c in range(each) for n in range(columns)]
        at = {(c, n): I64(((u * each + c) * width + n * vec.lanes) * size) for c, n in places}
        weights = {place: vec.load(builder.add(b_now, at[place])) for place in places}
        for m in range(rows):
            offset = builder.add(builder.mul(I64(m), lda), I64(u * size))
            row = builder.add(a_now, offset)
            if seen:
                values = [vec.load(builder.add(row, I64(n * vec.lanes * size))) for n in range(columns)]
            else:
                values = [vec.broadcast(row)] * columns
            for c, n in places:
                value = values[n]
                if made > 1:
                    value = builder.shuffle_vector(value, vec.zero, orders[c])
                builder.store(vec.multiply_add(value, weights[c, n], builder.load(sums[m, n])), sums[m, n])

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

    def finished(tile: tuple[int, int]) -> Any:
        value = builder.load(sums[tile])
        return vec.clipped(value) if tail == SENT_RELU else value

    with builder.if_else(full) as (whole, partial):
        with whole:
            for m, n in tiles:
                (vec.send if tail else vec.store)(finished((m, n)), place(m, n))
        with partial:
            mask = masks()
            for m, n in tiles:
                vec.store_masked(finished((m, n)), place(m, n), mask[n])


@intrinsic(prefer_literal=True)
def _tile(
    context, rows, columns, lanes, seen, made, tail, dtype, a, lda, runs, count, length, b, c, ldc, accumulate,
    channels, bias,
):  # fmt: skip
    *shape, last = (t.literal_value for t in (rows, columns, lanes, seen, made, tail))
    name = str(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vec = Vectors(builder, name, shape[2])
        _emit(builder, vec, shape[0], shape[1], shape[3], shape[4], last, arguments[7:])
        return ctx.get_dummy_value()

    return types.void(rows, columns, lanes, seen, made, tail, dtype, *[types.int64] * 11), generate


@cache
def tile(
    rows: int, columns: int, dtype: str, groups: tuple[int, int] = (0, 0), lanes: int = 0, tail: int = KEPT
) -> Native:
    """Returns the register tile of so many rows and vectors of columns, of whole vectors if ``lanes`` is 0.

    ``groups`` are the channels and filters of a group, where every vector holds several groups. ``tail`` is what
    happens to the sums: ``SENT`` around the caches, where C consists of whole cache lines, ``SENT_RELU`` after a ReLU.

    Its arguments, all ``int64``, addresses and distances in bytes: ``a, lda, runs, count, length, b, c, ldc,
    accumulate, channels, bias``; ``length`` in values, ``bias`` 0 where there is none.
    """
    lanes = lanes or lanes_of(dtype)
    kind, (seen, made) = np.dtype(dtype).type, groups

    @native(types.void(*[types.int64] * 11))
    def register_tile(a, lda, runs, count, length, b, c, ldc, accumulate, channels, bias):
        _tile(
            rows, columns, lanes, seen, made, tail, kind, a, lda, runs, count, length, b, c, ldc, accumulate, channels,
            bias,
        )  # fmt: skip

    return register_tile


def lanes_of(dtype: str) -> int:
    """Returns how many values of ``dtype`` a vector of this machine holds."""
    return vectors().size // np.dtype(dtype).itemsize


def lanes_for(channels: int, dtype: str) -> int:
    """Returns how many values a vector of so many channels holds: half or a quarter of a register for few."""
    lanes, smallest = lanes_of(dtype), SMALLEST_VECTOR // np.dtype(dtype).itemsize
    while channels <= lanes // 2 and lanes > smallest:
        lanes //= 2
    return lanes


def most_rows(columns: int) -> int:
    """Returns how many rows a tile of so many vectors of columns may have without spilling."""
    return min((vectors().count - columns - 1) // columns, 24 if columns == 1 else 14)
