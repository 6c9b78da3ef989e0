"""Arithmetic, logic and comparisons of lanes.

``fma`` rounds once: products of ``float32`` are exact in ``float64``. Approximate instructions are computed exactly:
their error bounds are the hardware's business.
"""

from __future__ import annotations

import numpy as np

from tests.cuda.ptx.operands import reader
from tests.cuda.ptx.parser import TYPES

_TWO = {
    "add": np.add, "sub": np.subtract, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "min": np.fmin, "max": np.fmax, "copysign": lambda a, b: np.copysign(b, a),
}  # fmt: skip
_ONE = {
    "not": np.invert, "neg": np.negative, "abs": np.abs, "sqrt": np.sqrt, "ex2": np.exp2, "lg2": np.log2,
    "rcp": np.reciprocal, "rsqrt": lambda x: (1 / np.sqrt(x)).astype(x.dtype), "sin": np.sin, "cos": np.cos,
    "tanh": np.tanh,
}  # fmt: skip
_COMPARE = {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "lo": np.less, "ls": np.less_equal, "hi": np.greater, "hs": np.greater_equal,
    "num": lambda a, b: ~(np.isnan(a) | np.isnan(b)), "nan": lambda a, b: np.isnan(a) | np.isnan(b),
}  # fmt: skip
_WIDE = {"s16": "s32", "u16": "u32", "s32": "s64", "u32": "u64"}

OPCODES = frozenset({*_TWO, *_ONE, "mul", "mad", "fma", "div", "rem", "shl", "shr", "setp", "selp", "testp", "popc",
                     "clz", "brev", "bfe", "bfi", "shf", "lop3", "prmt", "slct"})  # fmt: skip


def build(program, instruction):
    """Returns what carries out an instruction."""
    name, kind = instruction.opcode[0], instruction.opcode[-1]
    if name == "setp":
        return _setp(program, instruction)
    to = program.numbers[instruction.operands[0]]
    compute = _function(instruction.opcode, kind)
    kinds = _operand_kinds(instruction.opcode, kind, len(instruction.operands) - 1)
    reads = [reader(program, operand, k) for operand, k in zip(instruction.operands[1:], kinds, strict=True)]

    def execute(lanes, mask):
        lanes.write(to, compute(*[read(lanes) for read in reads]), mask)

    return execute


def _operand_kinds(opcode, kind, count):
    name = opcode[0]
    if name in ("shl", "shr"):
        return [kind, "u32"]
    if name == "selp":
        return [kind, kind, "pred"]
    if name == "bfe":
        return [kind, "u32", "u32"]
    if name == "bfi":
        return [kind, kind, "u32", "u32"]
    if name == "mad" and "wide" in opcode:
        return [kind, kind, _WIDE[kind]]
    if name == "slct":
        return [opcode[-2], opcode[-2], kind]
    return [kind] * count


def _function(opcode, kind):
    name = opcode[0]
    saturating = "sat" in opcode
    compute = _plain_function(opcode, kind)
    if "NaN" in opcode and name in ("min", "max"):
        compute = {"min": np.minimum, "max": np.maximum}[name]
    if kind[0] == "f" and ("rz" in opcode or "rm" in opcode or "rp" in opcode):
        compute = _directed(name, opcode, TYPES[kind])
    if saturating and kind[0] == "f":
        return lambda *a: np.nan_to_num(np.clip(compute(*a), 0, 1), nan=0.0)
    return compute


def _plain_function(opcode, kind):
    name, dtype = opcode[0], TYPES[kind]
    if name in ("mul", "mad"):
        return _product(opcode, kind)
    if name == "fma":
        return _fma(dtype)
    if name in ("div", "rem"):
        return _division(name, kind)
    if name in ("shl", "shr"):
        return _shift(name, kind)
    if kind == "pred" and name == "not":
        return np.logical_not
    special = {
        "selp": lambda a, b, p: np.where(p, a, b),
        "slct": lambda a, b, c: np.where(c >= 0, a, b),
        "testp": {"infinite": np.isinf, "finite": np.isfinite, "notanumber": np.isnan}.get(opcode[1]),
        "popc": lambda a: np.bitwise_count(a).astype(np.uint32),
        "clz": lambda a: (8 * dtype.itemsize - _bit_length(a)).astype(np.uint32),
        "brev": lambda a: _reversed(a, 8 * dtype.itemsize),
        "bfe": lambda a, begin, count: _field(a, begin, count, dtype),
        "bfi": lambda a, b, begin, count: _insert(a, b, begin, count, dtype),
        "lop3": _lop3,
        "prmt": _permute,
        "shf": lambda low, high, n: _funnel(low, high, n, opcode),
    }
    return special.get(name) or _TWO.get(name) or _ONE[name]


def _product(opcode, kind):
    plus = opcode[0] == "mad"
    if "wide" in opcode:
        big = TYPES[_WIDE[kind]]
        return lambda a, b, *c: a.astype(big) * b.astype(big) + (c[0] if plus else big.type(0))
    if "hi" in opcode:
        bits, dtype = 8 * TYPES[kind].itemsize, TYPES[kind]

        def high(a, b, *c):
            a, b = np.broadcast_arrays(a, b)
            if bits == 32:
                top = (a.astype("i8" if kind[0] == "s" else "u8") * b.astype("i8" if kind[0] == "s" else "u8")) >> bits
            else:
                top = np.array([(int(i) * int(j)) >> bits for i, j in zip(a, b, strict=True)], object)
            return top.astype(dtype) + (c[0] if plus else dtype.type(0))

        return high
    return (lambda a, b, c: a * b + c) if plus else np.multiply


def _fma(dtype):
    wide = np.float64 if dtype == np.float32 else np.longdouble
    return lambda a, b, c: np.add(np.multiply(a, b, dtype=wide), c, dtype=wide).astype(dtype)


def _directed(name, opcode, dtype):
    """Sums and products rounded to zero, down or up: what argument reductions of libdevice use."""
    wide = np.float64 if dtype == np.float32 else np.longdouble
    exact = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "fma": lambda a, b, c: a * b + c,
    }[name]

    def compute(*operands):
        true = exact(*(x.astype(wide) for x in operands))
        near = true.astype(dtype)
        if "rz" in opcode:
            step = np.abs(near.astype(wide)) > np.abs(true)
            return np.where(step, np.nextafter(near, dtype.type(0)), near)
        low = "rm" in opcode
        step = near.astype(wide) > true if low else near.astype(wide) < true
        return np.where(step, np.nextafter(near, dtype.type(-np.inf if low else np.inf)), near)

    return compute


def _division(name, kind):
    dtype = TYPES[kind]
    if kind[0] == "f":
        return np.divide

    def compute(a, b):
        a, b = np.broadcast_arrays(a, b)
        safe = np.where(b == 0, dtype.type(1), b)
        quotient = a // safe
        if kind[0] == "s":  # towards zero
            quotient = quotient + ((a % safe != 0) & ((a < 0) != (safe < 0)))
        return (quotient if name == "div" else a - quotient * safe).astype(dtype)

    return compute


def _shift(name, kind):
    dtype = TYPES[kind]
    bits = 8 * dtype.itemsize

    def compute(a, count):
        inside = np.minimum(count, bits - 1).astype(dtype)
        result = np.left_shift(a, inside) if name == "shl" else np.right_shift(a, inside)
        if name == "shr" and kind[0] == "s":
            return result
        return np.where(count >= bits, dtype.type(0), result)

    return compute


def _setp(program, instruction):
    """``setp.lt.s32 p, a, b``; ``neu`` and its like are true for NaN; ``setp.lt.and.s32 p, a, b, q`` combines."""
    opcode, operands = instruction.opcode, instruction.operands
    comparison, kind = opcode[1], opcode[-1]
    combine = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}.get(opcode[2])
    unordered = comparison.endswith("u") and comparison[:-1] in _COMPARE and kind[0] == "f"
    compare = _COMPARE[comparison[:-1] if unordered else comparison]
    names = operands[0].split("|")
    targets = [program.numbers.get(name) for name in names]
    a, b = (reader(program, operand, kind) for operand in operands[1:3])
    other = reader(program, operands[3], "pred") if combine else None

    def execute(lanes, mask):
        x, y = a(lanes), b(lanes)
        result = compare(x, y)
        if unordered:
            result = result | np.isnan(x) | np.isnan(y)
        elif comparison == "ne" and kind[0] == "f":
            result = result & ~np.isnan(x) & ~np.isnan(y)
        for value, target in zip((result, ~result), targets, strict=False):
            if target is not None:
                lanes.write(target, combine(value, other(lanes)) if combine else value, mask)

    return execute


def _bit_length(a):
    return np.array([int(x).bit_length() for x in np.atleast_1d(a)])


def _reversed(a, bits):
    return np.array([int(f"{int(x):0{bits}b}"[::-1], 2) for x in np.atleast_1d(a)]).astype(a.dtype)


def _field(a, begin, count, dtype):
    a, begin, count = np.broadcast_arrays(a, begin.astype(np.int64), count.astype(np.int64))
    mask = (1 << count) - 1
    value = (a.astype(np.int64) >> begin) & mask
    if dtype.kind == "i":
        value = np.where(value >> np.maximum(count - 1, 0) & 1, value - (1 << count), value)
    return value.astype(dtype)


def _insert(a, b, begin, count, dtype):
    a, b = a.astype(np.uint64), b.astype(np.uint64)
    mask = ((np.uint64(1) << count.astype(np.uint64)) - np.uint64(1)) << begin.astype(np.uint64)
    return ((b & ~mask) | ((a << begin.astype(np.uint64)) & mask)).astype(dtype)


def _lop3(a, b, c, table):
    result, table = np.zeros_like(a | b | c), int(table[0])
    for row in range(8):
        if table >> row & 1:
            x, y, z = (v if row >> shift & 1 else ~v for v, shift in ((a, 2), (b, 1), (c, 0)))
            result = result | (x & y & z)
    return result


def _permute(a, b, selector):
    whole = a.astype(np.uint64) | b.astype(np.uint64) << np.uint64(32)
    result = np.zeros_like(whole)
    for i in range(4):
        pick = selector.astype(np.uint64) >> np.uint64(4 * i) & np.uint64(7)
        result = result | (whole >> pick * np.uint64(8) & np.uint64(255)) << np.uint64(8 * i)
    return result.astype(np.uint32)


def _funnel(low, high, count, opcode):
    whole = low.astype(np.uint64) | high.astype(np.uint64) << np.uint64(32)
    n = count.astype(np.uint64)
    n = n & np.uint64(31) if "wrap" in opcode else np.minimum(n, np.uint64(32))
    return (whole << n >> np.uint64(32) if "l" in opcode else whole >> n).astype(np.uint32)
