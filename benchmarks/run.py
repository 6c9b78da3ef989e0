"""Measures nb3d beside its peers and writes benchmarks/results.md; the README's table is made from that.

    make bench

or, where both environments exist already,

    python -m benchmarks.run --peers-python .venv-bench/bin/python

Every framework lives in a process of its own. Round after round each of them runs the same network in turn, so that all
see the same noise of the machine, and the order changes with every round. What is reported is the median.
"""

from __future__ import annotations

import argparse
import math
import os
import shlex
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks import machine, report
from benchmarks.client import Client, WorkerError
from benchmarks.frameworks import FRAMEWORKS
from benchmarks.networks import Array, Network
from benchmarks.report import Measurement, Row
from benchmarks.workloads import workloads

OURS = next(iter(FRAMEWORKS))
TOLERANCE = 1e-3            # of the largest output: the peers have to do the same work
SECONDS_PER_TURN = 0.1      # small networks run several times in a turn
SLOW = 2.0                  # seconds: who takes longer for one run sits out all rounds but three


def main() -> int:
    """Measures, prints, writes; returns 1 where a result differs or a framework failed."""
    options = _options()
    networks = [network for network in workloads() if options.only is None or options.only in network.name]
    with ExitStack() as stack:
        clients = []
        for name in options.frameworks or FRAMEWORKS:
            try:
                clients.append(Client(name, sys.executable if name == OURS else options.peers_python, options.threads))
                stack.callback(clients[-1].close)
            except WorkerError as error:
                print(f"left out: {error}", file=sys.stderr)
        rows = []
        for network in networks:
            rows.append(measure(network, clients, options.rounds))
            print(report.line(rows[-1]), flush=True)
        versions = {client.name: client.version for client in clients}
    names = [client.name for client in clients]
    table = report.table(rows, names, OURS)
    print(f"\n{table}\n")
    whole = options.only is None and options.frameworks is None
    if whole and not options.dry:
        conditions = machine.describe(versions, options.threads)
        report.write(report.BENCH, f"{table}\n\n{conditions}\n\nCommand: `{_command()}`, {options.rounds} rounds.")
    sound = all(isinstance(result, Measurement) and result.agrees for row in rows for result in row.results.values())
    return 0 if sound and OURS in names else 1


def measure(network: Network, clients: list[Client], rounds: int) -> Row:
    """Prepares a network in every framework, compares the outputs, then lets all run it in turns."""
    results: dict[str, Measurement | str] = {}
    ready: list[tuple[Client, int]] = []
    expected: Array | None = None
    for client in clients:
        try:
            client.prepare(network)
            output = client.output()
            first = client.run(1)[0]
        except WorkerError as error:
            results[client.name] = str(error)
            print(f"{network.name}: {error}", file=sys.stderr)
            continue
        expected = output if expected is None else expected
        difference = _difference(output, expected)
        results[client.name] = Measurement([], difference, difference <= TOLERANCE)
        ready.append((client, max(1, min(20, math.ceil(SECONDS_PER_TURN / first)))))
    for client, count in _turns(ready, rounds):
        result = results[client.name]
        assert isinstance(result, Measurement)
        if len(result.seconds) < 3 or result.median < SLOW:
            result.seconds.append(statistics.median(client.run(count)))
    return Row(network.name, network.flops(), results)


def _turns(ready: list[tuple[Client, int]], rounds: int) -> Iterator[tuple[Client, int]]:
    """Everyone once per round; who begins changes, and so does the direction."""
    for number in range(rounds):
        shift = number % max(1, len(ready))
        order = ready[shift:] + ready[:shift]
        yield from reversed(order) if number % 2 else order


def _difference(got: Array, expected: Array) -> float:
    if got.shape != expected.shape or not np.isfinite(got).all():
        return math.inf
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def _command() -> str:
    return shlex.join(["python", "-m", "benchmarks.run", *(_relative(word) for word in sys.argv[1:])])


def _relative(word: str) -> str:
    """No path of this machine goes into the results."""
    return word if not os.path.isabs(word) else Path(word).name


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--threads", type=int, default=machine.cores(), help="threads of every framework")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--frameworks", nargs="+", choices=list(FRAMEWORKS), help="only these; not written")
    parser.add_argument("--only", metavar="TEXT", help="only networks with this in their name; not written")
    parser.add_argument("--dry", action="store_true", help="write no results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
