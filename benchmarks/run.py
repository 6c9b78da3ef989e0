"""Measures nb3d beside its peers and writes benchmarks/results.md; the README's tables are made from that.

    make bench

or, where both environments exist already,

    python -m benchmarks.run --peers-python .venv-bench/bin/python

Every framework lives in a process of its own. Round after round each of them runs the same network in turn, so that all
see the same noise of the machine, and the order changes with every round. What is reported is the median. After the
groups of `workloads.py` come three sections: `memory.py`, `scaling.py`, `stages.py`. ``--group`` measures some of all
these; a block of results.md is written when everything in it was measured.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack

from benchmarks import chart, memory, options, report, scaling, stages, tables
from benchmarks.client import Client, MissingError, WorkerError
from benchmarks.frameworks import FRAMEWORKS, OURS
from benchmarks.interleave import Runner, interleave
from benchmarks.networks import Array, Network
from benchmarks.options import Options
from benchmarks.tables import FAILED, MISSING, Measurement, Row, Section
from benchmarks.workloads import groups


def main() -> int:
    """Measures, prints, writes; returns 1 where a result differs or a framework failed."""
    asked = options.parse(__doc__)
    sound = speed(asked)
    for name, section in (("memory", memory.section), ("scaling", scaling.section), ("stages", stages.section)):
        if name in asked.groups:
            text = section(asked)
            print(f"\n{text}\n", flush=True)
            if asked.complete:
                report.write(name, text)
    return 0 if sound else 1


def speed(asked: Options) -> bool:
    """Measures the groups; returns whether everyone computed the same."""
    sections: list[Section] = []
    chosen = [group for group in groups() if group.key in asked.groups]
    if not chosen:
        return True
    with ExitStack() as stack:
        clients = []
        for name in asked.frameworks:
            try:
                clients.append(asked.start(name))
                stack.callback(clients[-1].close)
            except WorkerError as error:
                print(f"left out: {error}", file=sys.stderr)
        for group in chosen:
            rows = []
            taking = [client for client in clients if group.whole or FRAMEWORKS[client.name].is_float32]
            for network in asked.chosen(group.networks):
                rows.append(measure(network, taking, asked.rounds))
                print(tables.terminal(rows[-1]), flush=True)
            if rows:
                sections.append((group, rows))
        versions = {client.name: client.version for client in clients}
    names = [client.name for client in clients]
    parts = {group.key: tables.results(group, rows, names) for group, rows in sections}
    print("\n" + "\n\n".join([*parts.values(), tables.summary(sections)]) + "\n", flush=True)
    if asked.complete and len(sections) == len(groups()):
        whole = [parts[group.key] for group, _ in sections if group.whole]
        single = [f"### {group.title}\n\n{parts[group.key]}" for group, _ in sections if not group.whole]
        conditions = asked.conditions(versions, f", {asked.rounds} rounds")
        report.write(report.BENCH, "\n\n".join([tables.summary(sections), *whole, conditions]))
        chart.main()
        report.write(report.LAYERS, "\n\n".join([*single, conditions]))
    everything = [result for _, rows in sections for row in rows for result in row.results.values()]
    agreed = all(result == MISSING if isinstance(result, str) else result.agrees for result in everything)
    return agreed and OURS in names


def measure(network: Network, clients: list[Client], rounds: int) -> Row:
    """Prepares a network in every framework, compares the outputs, then lets all run it in turns."""
    results: dict[str, Measurement | str] = {}
    runners: list[Runner] = []
    expected: Array | None = None
    for client in clients:
        try:
            client.prepare(network)
            output = client.output()
        except WorkerError as error:
            results[client.name] = MISSING if isinstance(error, MissingError) else FAILED
            print(f"{network.name}: {error}", file=sys.stderr)
            continue
        expected = output if expected is None else expected
        entry = FRAMEWORKS[client.name]
        difference = entry.difference(output, expected)
        runners.append(Runner(client))
        results[client.name] = Measurement(runners[-1].seconds, difference, difference <= entry.tolerance)
    interleave(runners, rounds)
    return Row(network, results)


if __name__ == "__main__":
    sys.exit(main())
