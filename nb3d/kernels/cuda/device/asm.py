"""Instructions that Numba has no words for: wide loads and stores, asynchronous copies, tensor cores.

All of them stand here, so that another compiler can be put behind them. Addresses of shared memory are 32 bits wide,
those of global memory 64. Indexing an array with a signed number costs a selection, so inner loops work on addresses.
"""

from __future__ import annotations

from llvmlite import ir
from numba.cuda import types
from numba.cuda.extending import intrinsic

F32, I32, I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
FOUR_FLOATS, FOUR_WORDS = types.UniTuple(types.float32, 4), types.UniTuple(types.uint32, 4)
MEMORY = "~{memory}"


def _emit(builder, text, constraints, arguments, result=None, effects=True):
    kind = ir.FunctionType(result or ir.VoidType(), [argument.type for argument in arguments])
    return builder.asm(kind, text, constraints, arguments, effects)


def _four(context, builder, signature, struct):
    parts = [builder.extract_value(struct, number) for number in range(4)]
    return context.make_tuple(builder, signature.return_type, parts)


def _pointer(context, builder, kind, array):
    return context.make_array(kind)(context, builder, array).data


@intrinsic
def shared_address(context, array):
    """``shared_address(array)``: where a shared array begins."""

    def generate(ctx, builder, signature, arguments):
        pointer = _pointer(ctx, builder, signature.args[0], arguments[0])
        return builder.ptrtoint(builder.addrspacecast(pointer, pointer.type.pointee.as_pointer(3)), I32)

    return types.uint32(array), generate


@intrinsic
def global_address(context, array, index):
    """``global_address(array, index)``: where a value lies."""

    def generate(ctx, builder, signature, arguments):
        pointer = _pointer(ctx, builder, signature.args[0], arguments[0])
        index = ctx.cast(builder, arguments[1], signature.args[1], types.int64)
        return builder.ptrtoint(builder.gep(pointer, [index]), I64)

    return types.uint64(array, index), generate


@intrinsic
def load4(context, address):
    """Four floats of global memory that do not change, from an address."""

    def generate(ctx, builder, signature, arguments):
        struct = _emit(builder, "ld.global.nc.v4.f32 {$0,$1,$2,$3}, [$4];", "=f,=f,=f,=f,l", arguments,
                       ir.LiteralStructType([F32] * 4), effects=False)  # fmt: skip
        return _four(ctx, builder, signature, struct)

    return FOUR_FLOATS(types.uint64), generate


@intrinsic
def load4_words(context, address):
    """Four words of global memory that do not change, from an address."""

    def generate(ctx, builder, signature, arguments):
        struct = _emit(builder, "ld.global.nc.v4.u32 {$0,$1,$2,$3}, [$4];", "=r,=r,=r,=r,l", arguments,
                       ir.LiteralStructType([I32] * 4), effects=False)  # fmt: skip
        return _four(ctx, builder, signature, struct)

    return types.UniTuple(types.int32, 4)(types.uint64), generate


@intrinsic
def store4(context, address, a, b, c, d):
    """``store4(address, a, b, c, d)``: four floats into global memory."""

    def generate(ctx, builder, signature, arguments):
        _emit(builder, "st.global.v4.f32 [$0], {$1,$2,$3,$4};", f"l,f,f,f,f,{MEMORY}", arguments)
        return ctx.get_dummy_value()

    return types.void(types.uint64, *[types.float32] * 4), generate


@intrinsic
def shared4(context, address):
    """Four floats of shared memory, from an address."""

    def generate(ctx, builder, signature, arguments):
        struct = _emit(builder, "ld.shared.v4.f32 {$0,$1,$2,$3}, [$4];", f"=f,=f,=f,=f,r,{MEMORY}", arguments,
                       ir.LiteralStructType([F32] * 4))  # fmt: skip
        return _four(ctx, builder, signature, struct)

    return FOUR_FLOATS(types.uint32), generate


@intrinsic
def shared4_words(context, address):
    """Four words of shared memory, from an address."""

    def generate(ctx, builder, signature, arguments):
        struct = _emit(builder, "ld.shared.v4.u32 {$0,$1,$2,$3}, [$4];", f"=r,=r,=r,=r,r,{MEMORY}", arguments,
                       ir.LiteralStructType([I32] * 4))  # fmt: skip
        return _four(ctx, builder, signature, struct)

    return FOUR_WORDS(types.uint32), generate


def _store_shared4(kind, letter):
    @intrinsic
    def store(context, address, a, b, c, d):
        """``store(address, a, b, c, d)``: four floats, or words, into shared memory."""

        def generate(ctx, builder, signature, arguments):
            text = f"st.shared.v4.{letter}32 [$0], {{$1,$2,$3,$4}};"
            register = "f" if letter == "f" else "r"
            _emit(builder, text, f"r,{','.join(register * 4)},{MEMORY}", arguments)
            return ctx.get_dummy_value()

        return types.void(types.uint32, *[kind] * 4), generate

    return store


store_shared4, store_shared4_words = _store_shared4(types.float32, "f"), _store_shared4(types.uint32, "u")


def _copy(size, cache):
    @intrinsic
    def copy(context, target, source, count):
        """``copy(shared, address, count)``: asynchronously; what lies beyond ``count`` bytes becomes zero."""

        def generate(ctx, builder, signature, arguments):
            text = f"cp.async.{cache}.shared.global [$0], [$1], {size}, $2;"
            _emit(builder, text, f"r,l,r,{MEMORY}", arguments)
            return ctx.get_dummy_value()

        return types.void(types.uint32, types.uint64, types.int32), generate

    return copy


copy16, copy4 = _copy(16, "cg"), _copy(4, "ca")


def _order(text):
    @intrinsic
    def order(context):
        def generate(ctx, builder, signature, arguments):
            _emit(builder, text, MEMORY, [])
            return ctx.get_dummy_value()

        return types.void(), generate

    return order


commit = _order("cp.async.commit_group;")
wait_all = _order("cp.async.wait_group 0;")
wait_but_one = _order("cp.async.wait_group 1;")


@intrinsic
def matrices(context, address):
    """Four matrices of 8 rows of 16 bytes of shared memory (``ldmatrix``), a row's address from every lane."""

    def generate(ctx, builder, signature, arguments):
        text = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {$0,$1,$2,$3}, [$4];"
        struct = _emit(builder, text, f"=r,=r,=r,=r,r,{MEMORY}", arguments, ir.LiteralStructType([I32] * 4))
        return _four(ctx, builder, signature, struct)

    return FOUR_WORDS(types.uint32), generate


@intrinsic
def to_tf32(context, bits):
    """``to_tf32(bits)``: a float's bits with 10 bits of mantissa, rounded to the nearest."""

    def generate(ctx, builder, signature, arguments):
        value = builder.bitcast(arguments[0], F32)
        return _emit(builder, "cvt.rna.tf32.f32 $0, $1;", "=r,f", [value], I32, effects=False)

    return types.uint32(types.uint32), generate


@intrinsic
def float_of(context, bits):
    """``float_of(bits)``: a word as a float."""

    def generate(ctx, builder, signature, arguments):
        return builder.bitcast(arguments[0], F32)

    return types.float32(types.uint32), generate


@intrinsic
def bits_of(context, value):
    """``bits_of(value)``: a float as a word."""

    def generate(ctx, builder, signature, arguments):
        return builder.bitcast(arguments[0], I32)

    return types.uint32(types.float32), generate


def _product(name):
    @intrinsic
    def product(context, a0, a1, a2, a3, b0, b1, c0, c1, c2, c3):
        """Four values of ``A @ B + C`` for every lane of a warp."""

        def generate(ctx, builder, signature, arguments):
            text = name + " {$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, {$10,$11,$12,$13};"
            struct = _emit(builder, text, "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f", arguments,
                           ir.LiteralStructType([F32] * 4), effects=False)  # fmt: skip
            return _four(ctx, builder, signature, struct)

        return FOUR_FLOATS(*[types.uint32] * 6, *[types.float32] * 4), generate

    return product


product_tf32 = _product("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32")
product_bf16 = _product("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32")


@intrinsic
def pair_bf16(context, first, second):
    """``pair_bf16(first, second)``: two floats as a word of two BF16, the first one in its lower half."""

    def generate(ctx, builder, signature, arguments):
        low, high = arguments
        return _emit(builder, "cvt.rn.bf16x2.f32 $0, $1, $2;", "=r,f,f", [high, low], I32, effects=False)

    return types.uint32(types.float32, types.float32), generate


@intrinsic
def rest_tf32(context, bits, rounded):
    """What rounding to TF32 took away, as TF32, and the rounded bits once more.

    Both are zero where the value is no number: an infinity times the zero that a weight's rest may be would be NaN.
    """

    def generate(ctx, builder, signature, arguments):
        value, near = (builder.bitcast(argument, F32) for argument in arguments)
        rest = builder.fsub(value, near)
        finite = builder.fcmp_ordered("==", rest, rest)
        low = _emit(builder, "cvt.rna.tf32.f32 $0, $1;", "=r,f", [rest], I32, effects=False)
        zero = I32(0)
        parts = [builder.select(finite, low, zero), builder.select(finite, arguments[1], zero)]
        return ctx.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(types.uint32, 2)(types.uint32, types.uint32), generate
