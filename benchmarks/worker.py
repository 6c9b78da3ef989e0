"""The process of one framework: it keeps a network ready and runs it when told to.

    python -m benchmarks.worker FRAMEWORK --threads N

Each line on standard input is a command, each line on standard output its answer in JSON:

    prepare NETWORK    builds the network (JSON), runs it once       {"seconds": of both}
    run COUNT          runs it once untimed, then COUNT times        {"seconds": [...]}
    output PATH        runs it and writes the result as .npy         {}
    version            says the framework's version                  {"version": "..."}

What fails answers {"error": "..."}. An empty input ends the process.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from typing import Any

import numpy as np

from benchmarks.frameworks import FRAMEWORKS, Prepared, load
from benchmarks.networks import Network

# Threads of some frameworks spin for a while after their work. The next framework shall not pay for it.
CALM = 0.03


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
            return {"error": f"{type(error).__name__}: {error}"}

    def do_prepare(self, argument: str) -> dict[str, Any]:
        """Builds a network in place of the last one."""
        self.prepared = None
        gc.collect()
        start = time.perf_counter()
        self.prepared = self.framework.prepare(Network.from_json(argument), self.threads)
        self.prepared.run()
        return {"seconds": time.perf_counter() - start}

    def do_run(self, argument: str) -> dict[str, Any]:
        """Runs the network; the first run brings caches and threads back and does not count."""
        run = self._ready().run
        run()
        seconds = []
        for _ in range(int(argument)):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
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
