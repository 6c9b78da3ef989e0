"""From figures to Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.frameworks import FRAMEWORKS, OURS
from benchmarks.networks import Network
from benchmarks.workloads import Group

FAILED, MISSING = "failed", "not there"


@dataclass
class Measurement:
    """What one framework did with one network.

    Attributes:
        seconds: One figure per round.
        difference: Largest difference from the first framework's output, relative to its largest value.
        agrees: Whether that is small enough.
    """

    seconds: list[float]
    difference: float
    agrees: bool

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Row:
    """One network in every framework: a measurement each, or why there is none, ``FAILED`` or ``MISSING``."""

    network: Network
    results: dict[str, Measurement | str]

    def seconds(self, name: str) -> float | None:
        """The figure of a framework, if it computed what the others did."""
        result = self.results.get(name)
        return result.median if isinstance(result, Measurement) and result.agrees else None

    def advantage(self, *names: str) -> float | None:
        """Time of the fastest of some frameworks over ours: of all float32 peers, where none is named."""
        chosen = names or [name for name, entry in FRAMEWORKS.items() if entry.is_float32 and name != OURS]
        peers = [seconds for name in chosen if (seconds := self.seconds(name)) is not None]
        ours = self.seconds(OURS)
        return min(peers) / ours if peers and ours else None


Section = tuple[Group, list[Row]]


def table(lines: Sequence[Sequence[str]]) -> str:
    """Cells in Markdown; the first line is the head, and all columns but the first are numbers."""
    rule = ["---", *["---:"] * (len(lines[0]) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [lines[0], rule, *lines[1:]])


def terminal(row: Row) -> str:
    """A row for the terminal, with the spread of the rounds."""
    cells = [
        f"{name} {1e3 * result.median:.1f} ms ({1e3 * min(result.seconds):.1f} to {1e3 * max(result.seconds):.1f}), "
        f"difference {result.difference:.0e}"
        for name, result in row.results.items()
        if isinstance(result, Measurement)
    ]
    return f"{row.network.name} [{ratio(row.advantage())}]: {'; '.join(cells)}"


def results(group: Group, rows: list[Row], names: list[str]) -> str:
    """All rows of a group."""
    exact = [name for name in names if FRAMEWORKS[name].is_float32]
    others = [name for name in names if not FRAMEWORKS[name].is_float32] if group.whole else []
    rates = any(row.network.flops() for row in rows)
    head = ["network", "GFLOP" if rates else "MB", *exact, *others]
    lines = [[*head, f"{OURS} against the fastest float32 peer", *(f"against {name}" for name in others)]]
    for row in rows:
        size = row.network.flops() / 1e9 if rates else row.network.traffic() / 1e6
        cells = [_cell(row, row.results.get(name, FAILED)) for name in (*exact, *others)]
        advantages = [ratio(row.advantage()), *(ratio(row.advantage(name)) for name in others)]
        lines.append([row.network.name, f"{size:.1f}" if rates else f"{size:.0f}", *cells, *advantages])
    return table(lines)


def summary(sections: Sequence[Section]) -> str:
    """A line for every group: its target, and what was reached."""
    lines = [["work", "cases", "target", "geometric mean", "least", "where"]]
    for group, rows in sections:
        reached = {row.network.name: advantage for row in rows if (advantage := row.advantage()) is not None}
        cells = ["-", "-", "-"]
        if reached:
            worst = min(reached, key=lambda name: reached[name])
            cells = [ratio(statistics.geometric_mean(reached.values())), ratio(reached[worst]), worst]
        lines.append([group.title, f"{len(reached)} of {len(rows)}", _target(group), *cells])
    return table(lines)


def ratio(value: float | None) -> str:
    """A ratio as the tables have it."""
    return "-" if value is None else f"{value:.2f}"


def _target(group: Group) -> str:
    words = []
    if group.mean is not None:
        words.append(f"mean {group.mean:g}")
    if group.least is not None:
        words.append(f"each {group.least:g}")
    return ", ".join(words) or "-"


def _cell(row: Row, result: Measurement | str) -> str:
    """Milliseconds, and in brackets GFLOP/s, or GB/s where there are no products."""
    if isinstance(result, str):
        return result
    work = row.network.flops() or row.network.traffic()
    text = f"{1e3 * result.median:.{1 if result.median < 1 else 0}f} ({work / result.median / 1e9:.0f})"
    return text if result.agrees else f"{text}, differs by {result.difference:.0e}"
