"""The interpreter: lanes that run through a kernel's instructions.

Many lanes run at once, as one long vector: an instruction costs a few NumPy calls, however many there are. Blocks
cannot see each other, so all blocks run together. Warps of a block run together too, or one by one in random order
between barriers, where a seed is given; what a missing barrier would change is found by ``memory.py`` in either case.
Lanes whose ways part wait for each other at the lowest address, as they do on the hardware.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tests.cuda.ptx.memory import POISON, Fault, Global, Shared
from tests.cuda.ptx.parser import TYPES, Instruction, Kernel, parse

WARP = 32
Mask = np.ndarray | None  # None: all lanes
Execute = Callable[["Lanes", Mask], None]


@dataclass(frozen=True)
class Step:
    """An instruction ready to run.

    Attributes:
        kind: ``op``, ``branch``, ``exit`` or ``barrier``.
        guard: Number of the predicate register, -1 where there is none.
        negated: Whether the guard is negated.
        execute: What an ``op`` does.
        target: Where a ``branch`` leads.
        joins: Whether a label stands here, where other lanes may arrive.
    """

    kind: str
    guard: int
    negated: bool
    execute: Execute
    target: int
    joins: bool


class Lanes:
    """Lanes that run together: their registers, and where each of them is."""

    def __init__(self, launch: Launch, thread: np.ndarray, block: np.ndarray) -> None:
        self.launch, self.thread, self.block = launch, thread, block
        self.warp = thread // WARP
        self.count = len(thread)
        self.registers: list[np.ndarray | None] = [None] * len(launch.program.types)
        self.pc = np.zeros(self.count, np.int64)
        self.alive = np.ones(self.count, bool)
        self.parked = np.zeros(self.count, bool)
        self.group = np.zeros(self.count, np.int64)  # of asynchronous copies
        self.pending: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def write(self, register: int, value: np.ndarray, mask: Mask) -> None:
        """Gives lanes a new value of a register; arrays are never written in place, so values may be shared."""
        kind = self.launch.program.types[register]
        if value.dtype != kind:
            same = value.dtype.itemsize == kind.itemsize and value.dtype.kind != "b" and kind.kind != "b"
            value = np.ascontiguousarray(value).view(kind) if same else value.astype(kind)
        if mask is not None:
            old = self.registers[register]
            if old is None:
                old = np.full(kind.itemsize, POISON, np.uint8).view(kind) if kind.kind != "b" else np.zeros(1, bool)
            value = np.where(mask, value, old)
        elif value.shape != (self.count,):
            value = np.broadcast_to(value, (self.count,))
        self.registers[register] = value

    def read(self, register: int) -> np.ndarray:
        """The lanes' values of a register."""
        value = self.registers[register]
        if value is None:
            raise Fault(f"register {self.launch.program.names[register]} is read before it is written")
        return value

    def run(self) -> None:
        """Runs until every lane has parked at a barrier or left."""
        while True:
            ready = self.alive & ~self.parked
            if not ready.any():
                return
            pc = self.pc[ready].min()
            mask = ready & (self.pc == pc)
            self._run_from(int(pc), None if mask.all() else mask)

    def _run_from(self, pc: int, mask: Mask) -> None:
        """Runs the lanes that are at ``pc`` until they part, stop, or may meet others."""
        steps = self.launch.program.steps
        while True:
            step = steps[pc]
            chosen, nobody = mask, False
            if step.guard >= 0:
                guard = self.read(step.guard)
                chosen = ~guard if step.negated else guard
                if mask is not None:
                    chosen = chosen & mask
                nobody = not chosen.any()
                if not nobody and (chosen.all() if mask is None else (chosen == mask).all()):
                    chosen = mask
            self.launch.executed += 1
            if nobody:
                pc += 1
            elif step.kind == "op":
                step.execute(self, chosen)
                pc += 1
            elif step.kind == "branch" and chosen is mask:
                pc = step.target
            else:
                self._part(step, pc, mask, chosen)
                return
            if mask is not None and steps[pc].joins:
                self.pc[mask] = pc
                return

    def _part(self, step: Step, pc: int, mask: Mask, chosen: Mask) -> None:
        everybody, some = slice(None) if mask is None else mask, slice(None) if chosen is None else chosen
        self.pc[everybody] = pc + 1
        if step.kind == "branch":
            self.pc[some] = step.target
        elif step.kind == "exit":
            self.alive[some] = False
        else:
            self.parked[some] = True


class Program:
    """A kernel whose instructions have become Python functions."""

    def __init__(self, ptx: str) -> None:
        from tests.cuda.ptx import instructions

        self.kernel: Kernel = parse(ptx)
        self.names = list(self.kernel.registers)
        self.types = [TYPES[kind] for kind in self.kernel.registers.values()]
        self.numbers = {name: number for number, name in enumerate(self.names)}
        joins = set(self.kernel.labels.values())
        self.steps = [
            self._step(instruction, index in joins, instructions) for index, instruction in enumerate(self.kernel.code)
        ]

    def _step(self, instruction: Instruction, joins: bool, instructions) -> Step:
        name = instruction.opcode[0]
        kind = {"bra": "branch", "ret": "exit", "exit": "exit", "bar": "barrier", "barrier": "barrier"}.get(name, "op")
        target = self.kernel.labels[instruction.operands[0]] if kind == "branch" else -1
        execute = instructions.compile_instruction(self, instruction) if kind == "op" else instructions.nothing
        guard = -1 if instruction.guard is None else self.numbers[instruction.guard]
        return Step(kind, guard, instruction.negated, execute, target, joins)


class Launch:
    """One launch of a program.

    Args:
        program: The kernel.
        memory: Global memory.
        grid: Blocks along x, y, z.
        threads: Threads of a block.
        arguments: Values of all parameters, in order: addresses and numbers.
        dynamic: Bytes of dynamic shared memory.
        seed: Of the order in which warps run; without one they run together.
    """

    def __init__(
        self, program: Program, memory: Global, grid: Sequence[int], threads: int, arguments: Sequence[float],
        dynamic: int = 0, seed: int | None = None,
    ) -> None:  # fmt: skip
        kernel = program.kernel
        if len(arguments) != len(kernel.parameters):
            raise Fault(f"{len(kernel.parameters)} parameters expected, got {len(arguments)}")
        if kernel.threads and threads > kernel.threads:
            raise Fault(f"compiled for blocks of {kernel.threads} threads, launched with {threads}")
        self.program, self.memory, self.threads, self.dynamic = program, memory, threads, dynamic
        self.grid = (*grid, *(1,) * (3 - len(grid)))
        self.executed = 0
        self.parameters = {
            name: np.array([value]).astype(TYPES[kind])
            for (kind, name), value in zip(kernel.parameters, arguments, strict=True)
        }
        blocks = int(np.prod(self.grid))
        self.shared = Shared(blocks, kernel.shared_bytes + dynamic)
        self._random = None if seed is None else random.Random(seed)
        self._blocks = blocks

    def run(self) -> int:
        """Runs every block to its end; returns the number of instructions, lanes that run together counted as one."""
        together = self.threads if self._random is None else WARP
        if self.threads % WARP:
            raise Fault(f"blocks of {self.threads} threads are not whole warps")
        groups = []
        for first in range(0, self.threads, together):
            thread = np.tile(np.arange(first, first + together), self._blocks)
            groups.append(Lanes(self, thread, np.repeat(np.arange(self._blocks), together)))
        with np.errstate(all="ignore"):
            while any(lanes.alive.any() for lanes in groups):
                if self._random is not None:
                    self._random.shuffle(groups)
                for lanes in groups:
                    lanes.run()
                self._release(groups)
        return self.executed

    def _release(self, groups: list[Lanes]) -> None:
        """Lets everybody pass the barrier, if all threads of every block stand at the same one."""
        block = np.concatenate([lanes.block for lanes in groups])
        parked = np.concatenate([lanes.parked for lanes in groups])
        at = np.concatenate([lanes.pc for lanes in groups])
        waiting = np.bincount(block[parked], minlength=self._blocks)
        if not np.isin(waiting, (0, self.threads)).all():
            raise Fault("a barrier that not all threads of the block reach")
        lowest, highest = np.full(self._blocks, np.iinfo(np.int64).max), np.full(self._blocks, -1)
        np.minimum.at(lowest, block[parked], at[parked])
        np.maximum.at(highest, block[parked], at[parked])
        if (lowest < highest).any():
            raise Fault("threads of one block wait at different barriers")
        for lanes in groups:
            lanes.parked[:] = False
        self.shared.barrier()
