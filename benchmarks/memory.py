"""Peak memory of whole networks in every framework.

Every figure is of a fresh process, so that no network hides the next. The process imports its framework, runs one small
convolution, so that what a library loads or starts late is there, gives unused memory back, and forgets the peak: what
is resident now is the *baseline*. Then it builds the network and runs it once; the peak of resident memory, less the
baseline, is *building*: the weights as they were drawn are in it, and whatever a framework makes of them on the way.
Then unused memory is given back again, the peak forgotten, and the network run twice: the new peak, less the
baseline, is *running*: weights, input, everything between the layers, result.

nb3d has compiled its kernels in another process before, as it has on every machine but for the first time.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks.architectures import whole
from benchmarks.client import MissingError, WorkerError
from benchmarks.frameworks import FRAMEWORKS, OURS
from benchmarks.networks import Network
from benchmarks.options import Options
from benchmarks.tables import FAILED, MISSING, ratio, table
from benchmarks.workloads import convolution

CAPTION = """MB of resident memory above each process' own baseline while it runs the network, weights included, and in
brackets while it builds it and runs it for the first time; every figure is of a fresh process (`memory.py` has the
details). The last column is that of the lightest float32 peer over nb3d's: above 1, nb3d is the lighter. The last line
is the baseline: the process with its framework loaded, before there is a network."""


@dataclass(frozen=True)
class Peak:
    """Bytes of a process: at the baseline, and the peaks above it."""

    baseline: int
    building: int
    running: int

    def __str__(self) -> str:
        return f"{self.running / 1e6:.0f} ({self.building / 1e6:.0f})"


def section(asked: Options) -> str:
    """Measures all whole networks; returns the table."""
    peaks: dict[str, dict[str, Peak | str]] = {}
    versions: dict[str, str] = {}
    for network in asked.chosen(whole()):
        _compile_kernels(asked, network)
        row = peaks[network.name] = dict[str, Peak | str]()
        for name in asked.frameworks:
            try:
                row[name], versions[name] = measure(asked, name, network)
            except WorkerError as error:
                row[name] = MISSING if isinstance(error, MissingError) else FAILED
                print(f"{network.name}: {error}", file=sys.stderr)
        print(f"{network.name}, memory: {', '.join(f'{name} {peak}' for name, peak in row.items())}", flush=True)
    return f"{CAPTION}\n\n{_table(peaks, asked.frameworks)}\n\n{asked.conditions(versions)}"


def measure(asked: Options, name: str, network: Network) -> tuple[Peak, str]:
    """Memory of one network in a fresh process, and the framework's version."""
    client = asked.start(name)
    try:
        client.prepare(convolution((16, 16, 16), 16, 16))
        baseline = client.settle()
        if baseline is None:
            raise WorkerError(f"{name}: this system cannot forget a peak of memory, so nothing was measured")
        client.prepare(network)
        building = client.peak()
        client.settle()
        client.run(2)
        return Peak(baseline, building - baseline, client.peak() - baseline), client.version
    finally:
        client.close()


def _compile_kernels(asked: Options, network: Network) -> None:
    if OURS in asked.frameworks:
        client = asked.start(OURS)
        try:
            client.prepare(network)
        except WorkerError:
            return  # it will say so when it is measured
        finally:
            client.close()


def _table(peaks: dict[str, dict[str, Peak | str]], names: tuple[str, ...]) -> str:
    baselines: dict[str, int] = {}
    lines = [["network", *names, f"{OURS} against the lightest float32 peer"]]
    for network, row in peaks.items():
        measured = {name: peak for name, peak in row.items() if isinstance(peak, Peak)}
        peers = [peak.running for name, peak in measured.items() if name != OURS and FRAMEWORKS[name].is_float32]
        advantage = min(peers) / measured[OURS].running if peers and OURS in measured else None
        lines.append([network, *(str(row[name]) for name in names), ratio(advantage)])
        baselines |= {name: peak.baseline for name, peak in measured.items()}
    last = [f"{baselines[name] / 1e6:.0f}" if name in baselines else "-" for name in names]
    return table([*lines, ["before there is a network", *last, "-"]])
