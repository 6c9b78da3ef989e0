"""Loads, stores, asynchronous copies and matrix loads.

An asynchronous copy reads at once and lands when its thread waits for its group; until then the target is poisoned.
"""

from __future__ import annotations

import numpy as np

from tests.cuda.ptx.memory import POISON, SHARED_WINDOW, Fault, check_alignment
from tests.cuda.ptx.operands import address, every_lane, reader, spread, whole_warps
from tests.cuda.ptx.parser import TYPES

OPCODES = frozenset({"ld", "ldu", "st", "cp", "ldmatrix"})


def build(program, instruction):
    """Returns what carries out an instruction."""
    name, opcode = instruction.opcode[0], instruction.opcode
    if name == "cp":
        return _asynchronous(program, instruction)
    if name == "ldmatrix":
        return _matrix(program, instruction)
    if name != "st" and opcode[1] == "param":
        return _parameter(program, instruction)
    return (_store if name == "st" else _load)(program, instruction)


def _parameter(program, instruction):
    to, where = program.numbers[instruction.operands[0]], instruction.operands[1]
    if where.offset:
        raise NotImplementedError(instruction.text)
    return lambda lanes, mask: lanes.write(to, lanes.launch.parameters[where.base], mask)


def _names(operand) -> tuple[str, ...]:
    return operand if isinstance(operand, tuple) else (operand,)


def _space(opcode) -> str:
    words = {part.split("::")[0] for part in opcode}  # also shared::cta
    return next((space for space in ("global", "shared") if space in words), "generic")


def _selected(lanes, mask, value: np.ndarray) -> np.ndarray:
    whole = every_lane(lanes, value)
    return whole if mask is None else whole[mask]


def _is_shared(space: str, where: np.ndarray) -> bool:
    if space != "generic":
        return space == "shared"
    inside = where >= np.uint64(SHARED_WINDOW)
    if inside.any() and not inside.all():
        raise NotImplementedError("one generic access to shared and to global memory")
    return bool(inside.all())


def _offsets(lanes, mask, space: str, where: np.ndarray, size: int, what: str):
    """The buffer that an access goes to, and where its bytes lie there."""
    check_alignment(where, size, what)
    if not _is_shared(space, where):
        return lanes.launch.memory.bytes, lanes.launch.memory.offsets(where, size)
    if space == "generic":
        where = where - np.uint64(SHARED_WINDOW)
    shared, warp = lanes.launch.shared, _selected(lanes, mask, lanes.warp)
    at = shared.offsets(_selected(lanes, mask, lanes.block), where, size)
    (shared.note_read if what == "load" else shared.note_write)(at, size, warp)
    return shared.bytes, at


def _elements(buffer: np.ndarray, at: np.ndarray, dtype: np.dtype, count: int):
    return buffer.view(dtype), (at // dtype.itemsize)[:, None] + np.arange(count)


def _load(program, instruction):
    opcode, (targets, source) = instruction.opcode, instruction.operands
    dtype, space = TYPES[opcode[-1]], _space(opcode)
    numbers = [program.numbers[name] for name in _names(targets)]
    size, where = dtype.itemsize * len(numbers), address(program, source)

    def execute(lanes, mask):
        buffer, at = _offsets(lanes, mask, space, _selected(lanes, mask, where(lanes)), size, "load")
        values, index = _elements(buffer, at, dtype, len(numbers))
        loaded = values[index]
        for position, number in enumerate(numbers):
            column = loaded[:, position]
            if mask is not None:
                column = _spread(column, mask)
            lanes.write(number, _extended(column, lanes.launch.program.types[number]), mask)

    return execute


def _spread(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    whole = np.zeros(mask.shape, values.dtype)
    whole[mask] = values
    return whole


def _extended(values: np.ndarray, wide: np.dtype) -> np.ndarray:
    """Small integers fill the register, with their sign if they have one."""
    if values.dtype.itemsize < wide.itemsize and values.dtype.kind in "iu":
        return values.astype(f"{values.dtype.kind}{wide.itemsize}")
    return values


def _store(program, instruction):
    opcode, (target, sources) = instruction.opcode, instruction.operands
    kind, space = opcode[-1], _space(opcode)
    reads = [reader(program, name, kind) for name in _names(sources)]
    size, where = TYPES[kind].itemsize * len(reads), address(program, target)

    def execute(lanes, mask):
        buffer, at = _offsets(lanes, mask, space, _selected(lanes, mask, where(lanes)), size, "store")
        values, index = _elements(buffer, at, TYPES[kind], len(reads))
        for position, read in enumerate(reads):
            values[index[:, position]] = _selected(lanes, mask, read(lanes))

    return execute


def _asynchronous(program, instruction):
    opcode = instruction.opcode
    if "commit_group" in opcode:
        return _commit
    if "wait_group" in opcode or "wait_all" in opcode:
        left = int(instruction.operands[0]) if instruction.operands else 0
        return lambda lanes, mask: _wait(lanes, mask, left)
    target, source = (address(program, operand) for operand in instruction.operands[:2])
    size = int(instruction.operands[2])
    filled = reader(program, instruction.operands[3], "u32") if len(instruction.operands) > 3 else None
    if size not in (4, 8, 16) or (opcode[2] == "cg" and size != 16):
        raise Fault(f"no such copy: {instruction.text}")

    def execute(lanes, mask):
        where = _selected(lanes, mask, target(lanes))
        buffer, at = _offsets(lanes, mask, "shared", where, size, "store")
        taken = _selected(lanes, mask, filled(lanes)) if filled else np.full(len(at), size, np.uint32)
        if (taken > size).any():
            raise Fault(f"a copy of {size} bytes takes {int(taken.max())} from its source")
        begin = _selected(lanes, mask, source(lanes))
        data = np.zeros((len(at), size), np.uint8)
        some = taken > 0
        check_alignment(begin[some], size, "asynchronous load")
        for count in np.unique(taken[some]):
            rows = taken == count
            origin = lanes.launch.memory.offsets(begin[rows], int(count))
            data[rows, : int(count)] = lanes.launch.memory.bytes[origin[:, None] + np.arange(int(count))]
        buffer[at[:, None] + np.arange(size)] = POISON
        lane = np.arange(lanes.count) if mask is None else np.flatnonzero(mask)
        lanes.pending.append((lane, lanes.group[lane], at, data))

    return execute


def _commit(lanes, mask) -> None:
    lanes.group[slice(None) if mask is None else mask] += 1


def _wait(lanes, mask, left: int) -> None:
    """Lands the copies of all groups of a thread but the last ``left``."""
    waits = np.ones(lanes.count, bool) if mask is None else mask
    remaining = []
    for lane, group, at, data in lanes.pending:
        lands = waits[lane] & (group < lanes.group[lane] - left)
        index = at[lands][:, None] + np.arange(data.shape[1])
        lanes.launch.shared.bytes[index] = data[lands]
        lanes.launch.shared.note_write(at[lands], data.shape[1], lanes.warp[lane[lands]])
        if not lands.all():
            remaining.append((lane[~lands], group[~lands], at[~lands], data[~lands]))
    lanes.pending[:] = remaining


def _matrix(program, instruction):
    """``ldmatrix``: lane ``8 m + r`` has the address of row ``r`` of matrix ``m``; lane ``l`` gets word ``l``."""
    targets = [program.numbers[name] for name in _names(instruction.operands[0])]
    where, transposed = address(program, instruction.operands[1]), "trans" in instruction.opcode

    def execute(lanes, mask):
        warps = whole_warps(lanes, mask)
        rows = every_lane(lanes, where(lanes)).reshape(-1, 32)[warps, : 8 * len(targets)]
        check_alignment(rows, 16, "row of a matrix")
        shared = lanes.launch.shared
        blocks = lanes.block.reshape(-1, 32)[warps, : 8 * len(targets)].reshape(-1)
        readers = lanes.warp.reshape(-1, 32)[warps, : 8 * len(targets)].reshape(-1)
        at = shared.offsets(blocks, rows.reshape(-1), 16)
        shared.note_read(at, 16, readers)
        words = shared.bytes[at[:, None] + np.arange(16)].reshape(-1, len(targets), 8, 16)
        if transposed:
            words = np.ascontiguousarray(words.view(np.uint16).swapaxes(2, 3)).view(np.uint8)
        values = np.ascontiguousarray(words).view(np.uint32).reshape(-1, len(targets), 32)
        for position, number in enumerate(targets):
            lanes.write(number, spread(lanes, warps, np.ascontiguousarray(values[:, position])), mask)

    return execute
