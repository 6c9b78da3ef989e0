"""nb3d alone: time per voxel as a volume grows, and what more threads bring."""

from __future__ import annotations

import math
from contextlib import ExitStack

from benchmarks.architectures import resnet18, unet
from benchmarks.frameworks import OURS
from benchmarks.interleave import Runner, interleave
from benchmarks.networks import Network
from benchmarks.options import Options
from benchmarks.tables import ratio, table

SIDES = (32, 64, 96, 128, 160)
GROWTH = """The 3D U-Net of 4 levels, base 32, on volumes of growing sides: nanoseconds per voxel, and how many times
the least of them that is."""
THREADS = """Milliseconds with one thread and with all, and the first over the second. Every size and every number of
threads has a process of its own; their runs are interleaved."""


def section(asked: Options) -> str:
    """Measures growth and threads; returns both tables."""
    networks = asked.chosen(unet(side) for side in SIDES)
    growing = _measure(asked, [(network, asked.threads) for network in networks])
    scaled = asked.chosen((unet(64), unet(96), resnet18()))
    threads = _measure(asked, [(network, count) for network in scaled for count in (1, asked.threads)])
    version = {runner.client.name: runner.client.version for runner in (*growing, *threads)}
    parts = [GROWTH, _growth(networks, growing), THREADS, _threads(scaled, threads, asked.threads)]
    return "\n\n".join([*parts, asked.conditions(version, f", {asked.rounds} rounds")])


def _measure(asked: Options, wanted: list[tuple[Network, int]]) -> list[Runner]:
    """Runs networks in turns, each in a process of its own."""
    with ExitStack() as stack:
        runners = []
        for network, threads in wanted:
            client = asked.start(OURS, threads)
            stack.callback(client.close)
            client.prepare(network)
            runners.append(Runner(client))
        interleave(runners, asked.rounds, far=math.inf)
    return runners


def _growth(networks: list[Network], runners: list[Runner]) -> str:
    each = [1e9 * runner.median / math.prod(network.shape) for network, runner in zip(networks, runners, strict=True)]
    lines = [["volume", "ms", "ns per voxel", "of the least"]]
    for network, runner, cost in zip(networks, runners, each, strict=True):
        sides = "x".join(map(str, network.shape[1:4]))
        lines.append([sides, f"{1e3 * runner.median:.1f}", f"{cost:.0f}", ratio(cost / min(each))])
    return table(lines)


def _threads(networks: list[Network], runners: list[Runner], threads: int) -> str:
    lines = [["network", "1 thread", f"{threads} threads", "ratio"]]
    for network, one, all_ in zip(networks, runners[::2], runners[1::2], strict=True):
        lines.append([network.name, *(f"{1e3 * r.median:.1f}" for r in (one, all_)), ratio(one.median / all_.median)])
    return table(lines)
