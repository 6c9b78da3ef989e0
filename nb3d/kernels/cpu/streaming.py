"""Results that are too large for the caches go to memory around them, a piece at a time.

An ordinary store to memory that is in no cache reads it first, so a pass over values moves three bytes for every two.
Stores marked as non-temporal do not, but they are only good in whole cache lines one after the other. So a task
computes a piece into memory on its stack, in L1, and sends that:

    waiting = stack(room)
    for every piece:  compute into ``waiting`` if the result is streamed, else into place;  if streamed: ``stream`` it

Measured on two cores of a Zen 4 (32 MB of L3): ReLU of 64^3 voxels of 32 channels 1.31 ms, 1.60 without; below some
20 MB, where input and result stay in L3, it is slower by a quarter. Pieces of 16 KB in place of 2 KB take 1.9 ms:
reading and writing no longer overlap. A worker's claim of its next task is a locked instruction, behind which all it
sent is visible to others.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nb3d.kernels.cpu.arrays import CACHE_LINE
from nb3d.kernels.cpu.memory import BYTES, I8, I32, I64

PIECE = 512  # values
LARGE = 24 * 1024 * 1024  # bytes of a result that a last cache of 32 MB does not keep beside its input

_LINE = ir.VectorType(I8, CACHE_LINE)


def streams(size: int, in_place: bool) -> int:
    """Returns whether a result of ``size`` bytes is streamed, as a word of a task; not over values just read."""
    return int(size >= LARGE and not in_place)


@intrinsic(prefer_literal=True)
def stack(context: Any, size: Any) -> Any:
    """``stack(size)``: the address of so many bytes (a constant) on the stack, the same at every call."""

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        memory = cgutils.alloca_once(builder, ir.ArrayType(I8, size.literal_value))
        memory.align = CACHE_LINE
        return builder.ptrtoint(memory, I64)

    return types.int64(size), generate


@intrinsic
def stream(context: Any, target: Any, source: Any, size: Any) -> Any:
    """``stream(target, source, size)``: bytes from one address to another, whole cache lines around the caches."""

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source, size = arguments

        def move(at: Any, count: Any) -> None:
            ends = [builder.inttoptr(builder.add(end, at), BYTES) for end in (target, source)]
            cgutils.raw_memcpy(builder, *ends, count, 1)

        before = builder.and_(builder.neg(target), I64(CACHE_LINE - 1))
        before = builder.select(builder.icmp_signed("<", before, size), before, size)
        lines = builder.lshr(builder.sub(size, before), I64(CACHE_LINE.bit_length() - 1))
        move(I64(0), before)
        with cgutils.for_range(builder, lines) as line:
            at = builder.add(before, builder.mul(line.index, I64(CACHE_LINE)))
            place, origin = (builder.inttoptr(builder.add(end, at), ir.PointerType(_LINE)) for end in (target, source))
            sent = builder.store(builder.load(origin, typ=_LINE, align=1), place, align=CACHE_LINE)
            sent.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(I32, 1)]))
        behind = builder.add(before, builder.mul(lines, I64(CACHE_LINE)))
        move(behind, builder.sub(size, behind))
        return ctx.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate
