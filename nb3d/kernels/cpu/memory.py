"""Addresses inside compiled code: typed pointers, copies, an atomic counter, calls through a pointer.

Tasks see memory as plain addresses (``int64``): offsets are 64 bits wide everywhere and no array object is built.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

I1, I8, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 32, 64))
BYTES = ir.PointerType(I8)


@intrinsic
def pointer(context: Any, address: Any, dtype: Any) -> Any:
    """``pointer(address, np.float32)``: the address as a pointer that can be indexed."""
    result = types.CPointer(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ctx.get_value_type(result))

    return result(types.int64, dtype), generate


@intrinsic
def address_of(context: Any, array: Any) -> Any:
    """``address_of(words)``: a pointer as an address."""

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], I64)

    return types.int64(array), generate


@intrinsic
def copy(context: Any, target: Any, source: Any, size: Any) -> Any:
    """``copy(target, source, size)``: bytes from one address to another."""

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source, size = arguments
        cgutils.raw_memcpy(builder, builder.inttoptr(target, BYTES), builder.inttoptr(source, BYTES), size, 1)
        return ctx.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def clear(context: Any, target: Any, size: Any) -> Any:
    """``clear(target, size)``: zero bytes from an address on."""

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, size = arguments
        cgutils.memset(builder, builder.inttoptr(target, BYTES), size, 0)
        return ctx.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def claim(context: Any, counter: Any) -> Any:
    """``claim(counter)``: the number at an address, which grows by one for everybody."""

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        where = builder.inttoptr(arguments[0], ir.PointerType(I64))
        return builder.atomic_rmw("add", where, I64(1), "monotonic")

    return types.int64(types.int64), generate


@intrinsic
def call(context: Any, function: Any, *arguments: Any) -> Any:
    """``call(address, a, b, ...)``: the native function of integers at an address."""
    given = types.StarArgTuple.from_types(arguments)

    def generate(ctx: Any, builder: Any, signature: Any, values: Any) -> Any:
        where, packed = values
        numbers = [
            ctx.cast(builder, value, kind, types.int64)
            for value, kind in zip(cgutils.unpack_tuple(builder, packed), given.types, strict=True)
        ]
        kind = ir.FunctionType(ir.VoidType(), [I64] * len(numbers))
        builder.call(builder.inttoptr(where, ir.PointerType(kind)), numbers)
        return ctx.get_dummy_value()

    return types.void(types.int64, given), generate
