"""From an instruction to a Python function: which file knows its opcode."""

from __future__ import annotations

from tests.cuda.ptx import arithmetic, conversions, movement, tensor


def nothing(lanes, mask) -> None:
    """What needs no work: fences, and whatever the machine itself carries out."""


def compile_instruction(program, instruction):
    """Returns what carries out an instruction.

    Raises:
        NotImplementedError: If the interpreter does not know it.
    """
    name = instruction.opcode[0]
    if name in ("membar", "fence", "prefetch"):
        return nothing
    for family in (arithmetic, conversions, movement, tensor):
        if name in family.OPCODES:
            return family.build(program, instruction)
    raise NotImplementedError(f"instruction {instruction.text!r}")
