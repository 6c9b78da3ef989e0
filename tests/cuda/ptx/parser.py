"""PTX text as data: one kernel's parameters, shared memory, registers and instructions.

Only what Numba and NVVM emit for kernels without calls is understood; anything else is an error, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

TYPES: dict[str, np.dtype] = {
    name: np.dtype(kind)
    for name, kind in {
        "pred": "?", "b8": "u1", "u8": "u1", "s8": "i1", "b16": "u2", "u16": "u2", "s16": "i2", "b32": "u4",
        "u32": "u4", "s32": "i4", "b64": "u8", "u64": "u8", "s64": "i8", "f16": "f2", "f32": "f4", "f64": "f8",
    }.items()
}  # fmt: skip

_PARAMETER = re.compile(r"\.param\s+(?:\.align\s+\d+\s+)?\.(\w+)\s+(\w+)")
_SHARED = re.compile(r"\.shared\s+\.align\s+(\d+)\s+\.b8\s+(\w+)\[(\d*)\]")
_REGISTERS = re.compile(r"\.reg\s+\.(\w+)\s+(%\w+)<(\d+)>")
_TEMPORARY = re.compile(r"\.reg\s+\.(\w+)\s+(%\w+);")
_SCOPE = re.compile(r"\{\s*(\.reg[^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")  # braces around a temporary register
_LABEL = re.compile(r"\s*(\$?\w+):\s*")
_GUARD = re.compile(r"@(!?)(%\w+)\s+(.*)", re.DOTALL)
_OPERAND = re.compile(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+")
_ADDRESS = re.compile(r"\[\s*([%\w$]+)\s*(?:\+\s*(-?\d+))?\s*\]")


@dataclass(frozen=True)
class Address:
    """``[base + offset]``; the base is a register or a symbol."""

    base: str
    offset: int


Operand = str | Address | tuple[str, ...]


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        text: As it stands in the source, for messages.
        opcode: Its name and suffixes: ``("add", "s32")``.
        operands: Registers, numbers and symbols as text; addresses; groups in braces.
        guard: The predicate register that lets it run, if there is one.
        negated: Whether it runs where the guard is false.
    """

    text: str
    opcode: tuple[str, ...]
    operands: tuple[Operand, ...] = ()
    guard: str | None = None
    negated: bool = False


@dataclass
class Kernel:
    """A parsed kernel.

    Attributes:
        name: Of the entry.
        threads: Of a block, as its launch bounds say.
        parameters: ``(type, name)`` in order.
        registers: Register -> its type.
        shared: Symbol in shared memory -> offset; what has no size of its own begins where the others end.
        shared_bytes: Bytes of shared memory with a size.
        code: Instructions.
        labels: Label -> index of the instruction behind it.
    """

    name: str
    threads: int
    parameters: list[tuple[str, str]] = field(default_factory=list)
    registers: dict[str, str] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=dict)
    shared_bytes: int = 0
    code: list[Instruction] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)


def parse(ptx: str) -> Kernel:
    """Returns the one kernel of a PTX module.

    Raises:
        ValueError: If there is another number of kernels, or a function, or memory of the stack.
    """
    text = re.sub(r"//[^\n]*", "", ptx)
    entries = re.findall(r"\.entry\s+(\w+)\s*\(", text)
    if len(entries) != 1 or re.search(r"\.func\b", text) or ".local " in text:
        raise ValueError(f"Expected one kernel, no functions and no local memory; found the kernels {entries}.")
    begin = text.index("{", text.index(".entry"))
    head, body = text[text.index(".entry") : begin], text[begin + 1 : text.rindex("}")]
    bounds = re.search(r"\.maxntid\s+(\d+)", head)
    kernel = Kernel(entries[0], int(bounds[1]) if bounds else 0, _PARAMETER.findall(head))
    _place_shared(kernel, text)
    for kind, prefix, count in _REGISTERS.findall(body):
        kernel.registers.update({f"{prefix}{number}": kind for number in range(int(count))})
    kernel.registers.update({name: kind for kind, name in _TEMPORARY.findall(body)})
    body = _SCOPE.sub(r"\1", body)
    for statement in re.split(r";|(?<=:)\n", body):
        _add(kernel, " ".join(statement.split()))
    return kernel


def _place_shared(kernel: Kernel, text: str) -> None:
    dynamic = []
    for alignment, name, size in dict.fromkeys(_SHARED.findall(text)):
        if not size:
            dynamic.append(name)
            continue
        begin = -(-kernel.shared_bytes // int(alignment)) * int(alignment)
        kernel.shared[name] = begin
        kernel.shared_bytes = begin + int(size)
    kernel.shared_bytes = -(-kernel.shared_bytes // 16) * 16
    kernel.shared.update(dict.fromkeys(dynamic, kernel.shared_bytes))


def _add(kernel: Kernel, statement: str) -> None:
    while label := _LABEL.match(statement):
        kernel.labels[label[1]] = len(kernel.code)
        statement = statement[label.end() :]
    statement = statement.strip()
    if not statement or statement.startswith((".reg", ".loc", ".pragma", ".shared")):
        return
    guard, text = _GUARD.match(statement), statement
    if guard:
        text = guard[3]
    name, _, rest = text.partition(" ")
    kernel.code.append(
        Instruction(
            statement,
            tuple(name.split(".")),
            tuple(_operand(found) for found in _OPERAND.findall(rest)),
            guard[2] if guard else None,
            bool(guard and guard[1]),
        )
    )


def _operand(text: str) -> Operand:
    if text.startswith("{"):
        return tuple(part.strip() for part in text[1:-1].split(","))
    if text.startswith("["):
        found = _ADDRESS.fullmatch(text)
        if found is None:
            raise ValueError(f"Expected an address, got {text!r}.")
        return Address(found[1], int(found[2] or 0))
    return text
