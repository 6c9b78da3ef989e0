"""The process of one framework: it keeps a network ready and runs it when told to.

    python -m benchmarks.worker FRAMEWORK --threads N

Each line on standard input is a command, each line on standard output its answer in JSON:

    prepare NETWORK    builds the network (JSON), runs it once       {"seconds": of both}
    run COUNT          runs it COUNT times                           {"seconds": [...]}
    output PATH        runs it and writes the result as .npy         {}
    version            says the framework's version                  {"version": "..."}
    settle             gives unused memory back, forgets the peak    {"bytes": resident, "forgot": whether it could}
    peak               says the peak of resident memory since then   {"bytes": peak}

What fails answers {"error": "...", "missing": whether the framework has no such layer}. The end of the input ends the
process.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

import numpy as np

from benchmarks import resident
from benchmarks.frameworks import FRAMEWORKS, Prepared, load
from benchmarks.networks import Network

# Threads of some frameworks spin for a while after their work. The next framework shall not pay for it.
CALM = 0.03
# A run brings caches and threads back for the next one. Where it is shorter than this, that would be seen: it does not
# count, and is run once more.
SHORT = 0.25


class Worker:
    """Carries out the commands, each a method that returns the answer."""

    def __init__(self, framework: str, threads: int) -> None:
        self.framework = load(framework)
        self.threads = threads
        self.prepared: Prepared | None = None

    def answer(self, line: str) -> dict[str, Any]:
        """Carries out one line."""
        command, _, argument = line.partition(" ")
        try:
            return getattr(self, f"do_{command}")(argument)  # type: ignore[no-any-return]
        except Exception as error:  # the driver decides what a failure means
            return {"error": f"{type(error).__name__}: {error}", "missing": isinstance(error, NotImplementedError)}

    def do_prepare(self, argument: str) -> dict[str, Any]:
        """Builds a network in place of the last one."""
        self.prepared = None
        resident.give_back()
        start = time.perf_counter()
        self.prepared = self.framework.prepare(Network.from_json(argument), self.threads)
        self.prepared.run()
        return {"seconds": time.perf_counter() - start}

    def do_run(self, argument: str) -> dict[str, Any]:
        """Runs the network; of short ones the first run does not count."""
        first = self._once()
        seconds = [first] if first > SHORT else []
        while len(seconds) < int(argument):
            seconds.append(self._once())
        time.sleep(CALM)
        return {"seconds": seconds}

    def do_output(self, argument: str) -> dict[str, Any]:
        """Writes what the network computes."""
        prepared = self._ready()
        np.save(argument, prepared.result(prepared.run()))
        return {}

    def do_version(self, argument: str) -> dict[str, Any]:
        """Says the framework's version."""
        return {"version": self.framework.version()}

    def do_settle(self, argument: str) -> dict[str, Any]:
        """Begins a measurement of memory."""
        resident.give_back()
        return {"bytes": resident.resident(), "forgot": resident.forget_peak()}

    def do_peak(self, argument: str) -> dict[str, Any]:
        """Ends a measurement of memory."""
        return {"bytes": resident.peak()}

    def _once(self) -> float:
        run, start = self._ready().run, time.perf_counter()
        run()
        return time.perf_counter() - start

    def _ready(self) -> Prepared:
        if self.prepared is None:
            raise RuntimeError("No network is prepared.")
        return self.prepared


def main() -> None:
    """Answers until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("framework", choices=sorted(FRAMEWORKS))
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    # Frameworks print what they like: let it go to the errors, and keep the output for the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker = Worker(options.framework, options.threads)
    for line in sys.stdin:
        print(json.dumps(worker.answer(line.strip())), file=answers)


if __name__ == "__main__":
    main()
