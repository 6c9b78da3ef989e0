"""From figures to Markdown: the table, benchmarks/results.md, and the same table in the README.

`python -m benchmarks.report` copies what results.md holds into README.md.
"""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results.md"
README = ROOT / "README.md"

# Names of the blocks: `<!-- bench:start -->` to `<!-- bench:end -->` is replaced, the rest of a page is left alone.
BENCH, COLD = "bench", "cold"

TEMPLATE = """# Results

Made by `make bench`; `run.py` and `cold_start.py` say how. What stands between the marks is written by them.

## Speed

Milliseconds and, in brackets, GFLOP/s: medians of interleaved runs in float32. FLOPs are those of the definition,
whatever a framework really computes. Every output was compared with nb3d's: the largest difference is below 1e-3 of
the largest value. The last column is the time of the fastest peer over nb3d's: above 1, nb3d is the faster.

<!-- bench:start -->
<!-- bench:end -->

## From import to a first prediction

<!-- cold:start -->
<!-- cold:end -->
"""


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
    """One network in every framework: a measurement each, or why there is none."""

    network: str
    flops: int
    results: dict[str, Measurement | str]


def line(row: Row) -> str:
    """A row for the terminal, with the spread of the rounds."""
    cells = [
        f"{name} {1e3 * result.median:.1f} ms ({1e3 * min(result.seconds):.1f} to {1e3 * max(result.seconds):.1f})"
        for name, result in row.results.items()
        if isinstance(result, Measurement)
    ]
    return f"{row.network}: {'; '.join(cells)}"


def table(rows: list[Row], names: list[str], ours: str) -> str:
    """All rows in Markdown."""
    head = ["network", "GFLOP", *names, f"{ours} against the fastest peer"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for row in rows:
        cells = [_cell(row, row.results[name]) for name in names]
        lines.append([row.network, f"{row.flops / 1e9:.1f}", *cells, _advantage(row, ours)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write(block: str, text: str) -> None:
    """Puts a block into results.md, and into the README where it has a place for it."""
    page = RESULTS.read_text(encoding="utf8") if RESULTS.exists() else TEMPLATE
    RESULTS.write_text(replaced(page, block, text), encoding="utf8")
    update_readme()


def update_readme() -> None:
    """Copies the blocks of results.md into the README, where it has places for them."""
    if not (README.exists() and RESULTS.exists()):
        return
    page, results = README.read_text(encoding="utf8"), RESULTS.read_text(encoding="utf8")
    for block in (BENCH, COLD):
        found, place = _block(block).search(results), _block(block).search(page)
        if found and place:
            page = replaced(page, block, found[2])
    README.write_text(page, encoding="utf8")


def replaced(page: str, block: str, text: str) -> str:
    """A page with another text in one of its blocks.

    Raises:
        ValueError: The page has no such block.
    """
    page, count = _block(block).subn(lambda match: f"{match[1]}\n{text.strip()}\n{match[3]}", page)
    if count != 1:
        raise ValueError(f"Expected one pair of marks <!-- {block}:start --> and <!-- {block}:end -->, got {count}.")
    return page


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}:start -->)\n(.*?)(<!-- {name}:end -->)", re.DOTALL)


def _cell(row: Row, result: Measurement | str) -> str:
    if isinstance(result, str):
        return "failed"
    text = f"{1e3 * result.median:.1f} ({row.flops / result.median / 1e9:.0f})"
    return text if result.agrees else f"{text}, differs by {result.difference:.0e}"


def _advantage(row: Row, ours: str) -> str:
    measured = {name: result for name, result in row.results.items() if isinstance(result, Measurement)}
    peers = [result.median for name, result in measured.items() if name != ours and result.agrees]
    return f"{min(peers) / measured[ours].median:.2f}" if peers and ours in measured else "-"


if __name__ == "__main__":
    update_readme()
