"""Operands as functions of lanes: registers, numbers, special registers, symbols and addresses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.cuda.ptx.memory import Fault
from tests.cuda.ptx.parser import TYPES, Address, Operand

Read = Callable[..., np.ndarray]  # of lanes


def reader(program, operand: Operand, kind: str) -> Read:
    """Returns what reads an operand as values of a type."""
    assert isinstance(operand, str)
    dtype = TYPES[kind]
    if operand in program.numbers:
        return _register(program.numbers[operand], dtype)
    if operand.startswith("!"):
        number = program.numbers[operand[1:]]
        return lambda lanes: ~lanes.read(number)
    if operand.startswith("%"):
        return lambda lanes: special(lanes, operand).astype(dtype)
    constant = np.array([program.kernel.shared.get(operand, 0)]) if operand in program.kernel.shared else None
    value = (number_of(operand, dtype) if constant is None else constant).astype(dtype)
    return lambda lanes: value


def _register(number: int, dtype: np.dtype) -> Read:
    def read(lanes) -> np.ndarray:
        value = lanes.read(number)
        if value.dtype == dtype:
            return value
        return value.view(dtype) if value.dtype.itemsize == dtype.itemsize else value.astype(dtype)

    return read


def number_of(text: str, dtype: np.dtype) -> np.ndarray:
    """A literal: ``0f3F800000``, ``0d...``, ``-5``, ``true``."""
    if text[:2] in ("0f", "0F"):
        return np.array([int(text[2:], 16)], np.uint32).view(np.float32)
    if text[:2] in ("0d", "0D"):
        return np.array([int(text[2:], 16)], np.uint64).view(np.float64)
    if text in ("true", "false"):
        return np.array([text == "true"])
    bits = 8 * dtype.itemsize
    whole = np.array([int(text, 0) & ((1 << bits) - 1)], np.uint64).astype(f"u{dtype.itemsize}")
    return whole != 0 if dtype.kind == "b" else whole.view(dtype) if dtype.kind in "iu" else whole


def special(lanes, name: str) -> np.ndarray:
    """A special register: ``%tid.x``, ``%ctaid.y`` and their like. Blocks are one-dimensional."""
    register, _, axis = name[1:].partition(".")
    place = "xyz".find(axis) if axis else 0
    grid = lanes.launch.grid
    if register == "tid":
        return lanes.thread if place == 0 else np.zeros(1, np.int64)
    if register == "ntid":
        return np.array([lanes.launch.threads if place == 0 else 1])
    if register == "nctaid":
        return np.array([grid[place]])
    if register == "ctaid":
        below = int(np.prod(grid[:place], dtype=np.int64))
        return lanes.block // below % grid[place]
    if register == "dynamic_smem_size":
        return np.array([lanes.launch.dynamic])
    if register == "laneid":
        return lanes.thread % 32
    raise NotImplementedError(f"special register {name}")


def address(program, operand: Operand) -> Read:
    """Returns what computes an address."""
    assert isinstance(operand, Address)
    offset = np.uint64(operand.offset & (2**64 - 1))
    if operand.base in program.numbers:
        number = program.numbers[operand.base]
        return lambda lanes: lanes.read(number).astype(np.uint64) + offset
    where = np.array([program.kernel.shared[operand.base] + operand.offset], np.uint64)
    return lambda lanes: where


def every_lane(lanes, value: np.ndarray) -> np.ndarray:
    """A value for each lane, where it may be one for all."""
    return value if value.shape == (lanes.count,) else np.broadcast_to(value, (lanes.count,))


def whole_warps(lanes, mask) -> np.ndarray | slice:
    """The warps that carry out an instruction of all their lanes.

    Raises:
        Fault: If only some lanes of a warp do.
    """
    if mask is None:
        return slice(None)
    some = mask.reshape(-1, 32)
    if (some.any(1) != some.all(1)).any():
        raise Fault("an instruction of a whole warp that not all its lanes carry out")
    return some.any(1)


def spread(lanes, warps: np.ndarray | slice, values: np.ndarray) -> np.ndarray:
    """Values of some warps' lanes as values of all lanes."""
    if isinstance(warps, slice):
        return values.reshape(-1)
    whole = np.zeros((lanes.count // 32, 32), values.dtype)
    whole[warps] = values.reshape(-1, 32)
    return whole.reshape(-1)
