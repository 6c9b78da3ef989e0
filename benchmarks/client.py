"""The driver's end of a worker: a framework in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import Array, Network

ROOT = Path(__file__).resolve().parent.parent
# Every library that a framework may take its threads from.
THREAD_VARIABLES = tuple(f"{library}_NUM_THREADS" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA", "TBB"))


class WorkerError(RuntimeError):
    """A framework could not do what it was asked."""


class MissingError(WorkerError):
    """A framework has no such layer."""


class Client:
    """Starts a framework's worker and speaks with it.

    Args:
        name: The framework's name.
        python: The interpreter of the environment that has it.
        threads: How many threads it may use.
    """

    def __init__(self, name: str, python: str, threads: int) -> None:
        self.name = name
        environment = os.environ | {variable: str(threads) for variable in THREAD_VARIABLES}
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed by close()
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.worker", name, "--threads", str(threads)],
            cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        self.version = str(self._ask("version")["version"])

    def prepare(self, network: Network) -> float:
        """Builds a network and runs it once; returns the seconds that took."""
        return float(self._ask("prepare", network.to_json())["seconds"])

    def run(self, count: int) -> list[float]:
        """Seconds of each of some runs."""
        return list(self._ask("run", str(count))["seconds"])

    def output(self) -> Array:
        """What the network computes."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "output.npy"
            self._ask("output", str(path))
            return np.asarray(np.load(path), np.float32)

    def settle(self) -> int | None:
        """Begins a measurement of memory; returns the bytes resident now, None where peaks cannot be measured."""
        answer = self._ask("settle")
        return int(answer["bytes"]) if answer["forgot"] else None

    def peak(self) -> int:
        """Ends a measurement of memory; returns the most bytes that were resident since it began."""
        return int(self._ask("peak")["bytes"])

    def close(self) -> None:
        """Ends the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _ask(self, command: str, argument: str = "") -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            print(command, argument, file=process.stdin, flush=True)
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            process.wait()
            self._errors.seek(0)
            last = self._errors.read().strip().splitlines()[-1:] or ["it said nothing"]
            raise WorkerError(f"{self.name} ended with code {process.returncode}: {last[0]}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            kind = MissingError if answer["missing"] else WorkerError
            raise kind(f"{self.name}: {answer['error']}")
        return answer
