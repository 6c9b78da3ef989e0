"""A driver that is no GPU: it runs the compiled PTX in the interpreter of ``tests/cuda/ptx``."""

from __future__ import annotations

from functools import cache

import numpy as np

from nb3d.kernels.cuda.launches import recording
from nb3d.kernels.cuda.runtime import Runtime
from tests.cuda.ptx.machine import Launch, Program
from tests.cuda.ptx.memory import Global
from tests.kernels.cases import Example
from tests.kernels.compare import THREADS


@cache
def program_of(ptx: str) -> Program:
    return Program(ptx)


class Interpreted:
    """See ``nb3d.kernels.cuda.seam.Driver``.

    Args:
        seed: Of the order in which warps run; without one they run together.
        edit: Changes the PTX before it runs: a mutation that must be found out.
        capacity: Bytes of memory.
    """

    architecture = "interpreter"
    number = 0
    stream = 77  # a handle that nobody follows

    def __init__(self, seed: int | None = None, edit=lambda ptx: ptx, capacity: int = 1 << 24) -> None:
        self.memory = Global(capacity)
        self.capacity = capacity
        self.allocations = self.releases = self.launches = self.executed = 0
        self.calls: list[tuple] = []  # copies, and who waits for whom
        self.homes: dict[int, int | None] = {}  # of addresses that another GPU has, or none
        self._seed, self._edit = seed, edit

    @property
    def memory_used(self) -> int:
        return self.memory.used

    def enter(self) -> None:
        pass  # the host has no contexts

    leave = enter

    def allocate(self, size: int) -> int:
        if self.memory.used + size > self.capacity:
            raise MemoryError(f"{size} bytes do not fit")
        self.allocations += 1
        return self.memory.allocate(size)

    def free(self, address: int) -> None:
        self.releases += 1

    def write(self, address: int, array: np.ndarray) -> None:
        self.memory.view(address, array.nbytes)[:] = array.reshape(-1).view(np.uint8)

    def read(self, address: int, out: np.ndarray) -> None:
        out.reshape(-1).view(np.uint8)[:] = self.memory.view(address, out.nbytes)

    def copy(self, address: int, source: int, size: int) -> None:
        self.calls.append(("copy", size))
        self.memory.view(address, size)[:] = self.memory.view(source, size)

    def finish(self) -> None:
        self.calls.append(("finish",))

    def pinned(self, size: int) -> np.ndarray:
        return np.full(size, 0xAB, np.uint8)

    def send(self, address: int, array: np.ndarray) -> None:
        self.calls.append(("send", address))
        self.write(address, array)

    def fetch(self, address: int, out: np.ndarray):
        self.calls.append(("fetch", address))
        now = np.empty_like(out)
        self.read(address, now)
        out[...] = 0xAB  # it has not arrived

        def wait() -> None:
            self.calls.append(("arrived", address))
            out[...] = now

        return wait

    def wait_for(self, stream: int) -> None:
        self.calls.append(("wait_for", stream))

    def let_wait(self, stream: int) -> None:
        self.calls.append(("let_wait", stream))

    def home_of(self, address: int) -> int | None:
        return self.homes.get(address, self.number)

    def elapsed(self, run, repeats: int) -> list[float]:
        return [(run(), 0.001)[1] for _ in range(repeats)]

    def assemble(self, ptx: str) -> bytes:
        return ptx.encode()

    def load(self, code: bytes, entry: str, shared: int) -> Program:
        program = program_of(self._edit(code.decode()))
        assert program.kernel.name == entry
        return program

    def bind(self, kernel, grid, threads, shared, parameters):
        assert [kind for kind, _ in kernel.kernel.parameters] == [_SHORT[kind] for kind, _ in parameters]
        values = [value for _, value in parameters]

        def run() -> None:
            self.launches += 1
            self.executed += Launch(kernel, self.memory, grid, threads, values, shared, self._seed).run()

        return run

    def capture(self, run):
        return None


_SHORT = {"uint64": "u64", "int64": "u64", "int32": "u32", "uint32": "u32", "float32": "f32", "float64": "f64",
          "uint8": "u8"}  # fmt: skip


def compute_on(driver, implementation, example: Example) -> np.ndarray:
    """Returns what a CUDA implementation makes of an example, on a driver or on a run time; all memory is poisoned."""
    runtime, case = driver if isinstance(driver, Runtime) else Runtime(driver), example.case
    out = runtime.upload(example.out())
    scratch = runtime.upload(np.full(implementation.scratch(case, THREADS), 0xAB, np.uint8))
    inputs = [runtime.upload(array) for array in implementation.prepare(case, example.inputs())]
    launches = []
    with recording(launches.append):
        implementation.load(case)(*inputs, out, scratch, *case.params)
    with runtime.turn:
        runtime.bind(launches)()
        return runtime.download(out)
