"""Moves and conversions of values between types."""

from __future__ import annotations

import numpy as np

from tests.cuda.ptx.memory import SHARED_WINDOW
from tests.cuda.ptx.operands import every_lane, reader
from tests.cuda.ptx.parser import TYPES

OPCODES = frozenset({"mov", "cvt", "cvta"})
_ROUND = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}


def build(program, instruction):
    """Returns what carries out an instruction."""
    return {"mov": _mov, "cvt": _cvt, "cvta": _cvta}[instruction.opcode[0]](program, instruction)


def _mov(program, instruction):
    """A copy, or ``mov.b64 {low, high}, x`` and back."""
    target, source = instruction.operands
    kind = instruction.opcode[-1]
    if isinstance(target, tuple):
        read = reader(program, source, kind)
        parts = [program.numbers.get(name) for name in target]

        def split(lanes, mask):
            whole = np.ascontiguousarray(every_lane(lanes, read(lanes)))
            pieces = whole.view(f"u{whole.dtype.itemsize // len(parts)}").reshape(-1, len(parts))
            for number, part in enumerate(parts):
                if part is not None:
                    lanes.write(part, pieces[:, number], mask)

        return split
    to = program.numbers[target]
    if isinstance(source, tuple):
        part = f"b{int(kind[1:]) // len(source)}"
        reads = [reader(program, operand, part) for operand in source]

        def join(lanes, mask):
            pieces = np.stack([every_lane(lanes, read(lanes)) for read in reads], 1)
            lanes.write(to, np.ascontiguousarray(pieces).view(TYPES[kind]).reshape(-1), mask)

        return join
    read = reader(program, source, kind)
    return lambda lanes, mask: lanes.write(to, read(lanes), mask)


def _cvt(program, instruction):
    """``cvt.rni.s32.f32`` and its like; ``cvt.rna.tf32.f32`` rounds to 10 bits of mantissa, ties away from zero."""
    opcode = instruction.opcode
    result, source = opcode[-2], opcode[-1]
    to = program.numbers[instruction.operands[0]]
    if result == "tf32":
        bits = reader(program, instruction.operands[1], "b32")
        return lambda lanes, mask: lanes.write(to, round_tf32(bits(lanes)), mask)
    if result == "bf16x2":
        high, low = (reader(program, operand, "f32") for operand in instruction.operands[1:])

        def pack(lanes, mask):
            lanes.write(to, round_bf16(high(lanes)) << np.uint32(16) | round_bf16(low(lanes)), mask)

        return pack
    read, dtype = reader(program, instruction.operands[1], source), TYPES[result]
    rounding = next((_ROUND[word] for word in opcode if word in _ROUND), None)
    towards = next((word for word in opcode[1:-2] if word in ("rz", "rm", "rp")), None)
    if towards and dtype.kind == "f":
        raise NotImplementedError(instruction.text)
    saturate = "sat" in opcode

    def execute(lanes, mask):
        value = read(lanes)
        if value.dtype.kind == "f":
            value = rounding(value) if rounding else value
            if dtype.kind in "iu":  # the hardware saturates, and makes zero of NaN
                limits = np.iinfo(dtype)
                value = np.where(np.isnan(value), 0, np.clip(value.astype(np.longdouble), limits.min, limits.max))
            elif saturate:
                value = np.where(np.isnan(value), 0, np.clip(value, 0, 1))
        converted = value.astype(dtype)
        if dtype.kind in "iu" and dtype.itemsize < lanes.launch.program.types[to].itemsize:
            wide = lanes.launch.program.types[to]
            converted = converted.astype(f"{dtype.kind}{wide.itemsize}")
        lanes.write(to, converted, mask)

    return execute


def _cvta(program, instruction):
    """Generic addresses of global memory are what they are; the window of shared memory lies elsewhere."""
    to, read = program.numbers[instruction.operands[0]], reader(program, instruction.operands[1], "u64")
    shift = np.uint64(SHARED_WINDOW if "shared" in instruction.opcode else 0)
    if "to" in instruction.opcode:
        return lambda lanes, mask: lanes.write(to, read(lanes) - shift, mask)
    return lambda lanes, mask: lanes.write(to, read(lanes) + shift, mask)


def round_tf32(bits: np.ndarray) -> np.ndarray:
    """The bits of a float with 10 bits of mantissa, rounded to the nearest, ties away from zero."""
    finite = (bits & np.uint32(0x7F800000)) != 0x7F800000
    return np.where(finite, bits + np.uint32(0x1000), bits) & np.uint32(0xFFFFE000)


def round_bf16(values: np.ndarray) -> np.ndarray:
    """The upper half of a float, rounded to the nearest, ties to even; NaN stays NaN."""
    bits = np.ascontiguousarray(values.astype(np.float32)).view(np.uint32)
    even = (bits >> np.uint32(16)) & np.uint32(1)
    return np.where(np.isnan(values), np.uint32(0x7FFF), (bits + np.uint32(0x7FFF) + even) >> np.uint32(16))
