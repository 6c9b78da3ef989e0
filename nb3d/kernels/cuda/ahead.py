"""Kernels compiled ahead of their use, for any architecture, by a process for every core. Needs no GPU.

Processes leave their work in the folder of compiled kernels. Where there is no such folder nothing is gained, and
nothing is done: whoever needs a kernel compiles it.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from queue import SimpleQueue

from nb3d.kernels import compiling, folders
from nb3d.kernels.cuda.assembler import assemble
from nb3d.kernels.cuda.program import Program, folder

FEW = 3  # a process has to import Numba first: for fewer kernels that is not worth its time


def compile_all(programs: Iterable[Program], architectures: Sequence[str], processes: int | None = None) -> int:
    """Compiles and assembles what is not on disk yet; returns how many files of machine code that were.

    Args:
        programs: The kernels.
        architectures: Such as ``sm_90a``.
        processes: How many at a time; as many as there are cores where absent.

    Raises:
        RuntimeError: If one cannot be compiled, or the assembler refuses it.
    """
    place = folder()
    if place is None:
        return 0
    work: list[tuple[Program, list[str]]] = []
    for item in programs:
        missing = [name for name in architectures if folders.read(place / f"{item.name}.{name}") is None]
        for _ in range(len(architectures) - len(missing)):
            compiling.found()
        if missing:
            work.append((item, missing))
    if len(work) < FEW or processes == 1:
        for item, missing in work:
            _compile(item, missing)
    else:
        _compile_in_processes(work, min(processes or os.cpu_count() or 1, len(work)))
    return sum(len(missing) for _, missing in work)


def _compile(item: Program, architectures: Sequence[str]) -> None:
    for name in architectures:
        item.machine_code(name, lambda ptx, name=name: assemble(ptx, name)[0])  # type: ignore[misc]


def _compile_in_processes(work: Sequence[tuple[Program, list[str]]], count: int) -> None:
    idle: SimpleQueue[_Worker] = SimpleQueue()

    def compile_one(piece: tuple[Program, list[str]]) -> float:
        worker = idle.get()
        try:
            return worker.compile(*piece)
        finally:
            idle.put(worker)

    with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        for _ in range(count):
            idle.put(stack.enter_context(_Worker()))
        for (_, names), seconds in zip(work, pool.map(compile_one, work), strict=True):
            for _ in names:
                compiling.compiled(seconds / count / len(names), folder())  # as if one after the other


class _Worker:
    """A process of its own that compiles one kernel after the other.

    It is a fresh interpreter: what has a GPU's context must not be forked, and what ``multiprocessing`` starts in a
    script without ``if __name__ == "__main__"`` would run that script again.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from {__name__} import serve; serve()"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "NB3D_QUIET": "1"},
        )  # fmt: skip

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(BrokenPipeError), self._process:
            pass  # its input ends, and so it does

    def compile(self, item: Program, architectures: Sequence[str]) -> float:
        """Returns the seconds that it took.

        Raises:
            RuntimeError: If it fails.
        """
        questions, answers = self._process.stdin, self._process.stdout
        assert questions is not None
        assert answers is not None
        start = time.perf_counter()
        try:
            pickle.dump((item, architectures), questions)
            questions.flush()
            error = pickle.load(answers)
        except (EOFError, BrokenPipeError):
            error = f"A process that compiled the kernel {item.source} ended with code {self._process.wait()}"
        if error is not None:
            raise RuntimeError(error)
        return time.perf_counter() - start


def serve() -> None:
    """What such a process does: takes kernels from its input, and answers with what went wrong, or nothing."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    while True:
        try:
            item, architectures = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            _compile(item, architectures)
            error = None
        except Exception as problem:  # whatever it is, it is said where somebody waits
            error = str(problem) or type(problem).__name__
        pickle.dump(error, answers)
        answers.flush()
