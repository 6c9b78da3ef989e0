"""A picture of whole networks: how many times as long as nb3d everybody else takes. An SVG, written as text.

`python -m benchmarks.chart` draws what benchmarks/results.md holds into docs/speed.svg.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from benchmarks import report
from benchmarks.frameworks import FRAMEWORKS, OURS

PICTURE = report.ROOT / "docs" / "speed.svg"
Times = Mapping[str, float]

WIDTH, LABELS, RIGHT = 860, 290, 40
BAR, GAP, HEAD = 11, 16, 46
GREY = "#808a98"  # to be read on white and on black
COLORS = {
    OURS: "#e8590c", "PyTorch": "#748ffc", "ONNX Runtime": "#9775fa", "OpenVINO f32": "#4dabf7",
    "TensorFlow": "#38a89d", "OpenVINO bf16": "#a5d8ff",
}  # fmt: skip


def draw(networks: Mapping[str, Times]) -> str:
    """The picture.

    Args:
        networks: Network -> framework -> its time, in any unit.
    """
    names = [name for name in FRAMEWORKS if any(name in times for times in networks.values())]
    most = max(time / times[OURS] for times in networks.values() for time in times.values())
    scale = (WIDTH - LABELS - RIGHT) / most
    body, top = [], HEAD
    for network, times in networks.items():
        words = textwrap.wrap(network, 40)
        first = top + len(times) * BAR / 2 + 4 - 7 * (len(words) - 1)
        for number, line in enumerate(words):
            body.append(_text(LABELS - 12, first + 14 * number, line, 'text-anchor="end" font-size="12"'))
        for name in (name for name in names if name in times):
            length = scale * times[name] / times[OURS]
            body.append(f'<rect x="{LABELS}" y="{top}" width="{length:.1f}" height="{BAR - 2}" fill="{COLORS[name]}"/>')
            top += BAR
        top += GAP
    marks = [_mark(factor, LABELS + scale * factor, top) for factor in range(1, int(most) + 1)]
    legend = _legend(names)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top + 14}" '
        f'viewBox="0 0 {WIDTH} {top + 14}" font-family="system-ui, sans-serif" fill="{GREY}">',
        f"<title>Time of a prediction, {OURS} = 1</title>", *legend, *marks, *body, "</svg>", "",
    ])  # fmt: skip


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" {style}>{escape(words)}</text>'


def _mark(factor: int, x: float, bottom: float) -> str:
    line = f'<line x1="{x:.1f}" y1="{HEAD - 8}" x2="{x:.1f}" y2="{bottom - 8}" stroke="{GREY}" stroke-opacity="0.4"/>'
    return line + _text(x, bottom + 8, f"{factor}", 'text-anchor="middle" font-size="11"')


def _legend(names: Sequence[str]) -> list[str]:
    parts, x = [], 12.0
    for name in names:
        parts.append(f'<rect x="{x:.0f}" y="12" width="12" height="12" fill="{COLORS[name]}"/>')
        parts.append(_text(x + 18, 22, name, 'font-size="12"'))
        x += 40 + 7.2 * len(name)
    parts.append(_text(WIDTH - 12, 22, f"time, {OURS} = 1", 'text-anchor="end" font-size="12"'))
    return parts


def times_in(page: str) -> dict[str, dict[str, float]]:
    """Network -> framework -> milliseconds, from the table of whole networks of a page.

    Raises:
        ValueError: The page has no such table.
    """
    lines = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("|")]
    heads = [number for number, line in enumerate(lines) if line[:2] == ["network", "GFLOP"]]
    if not heads:
        raise ValueError("Expected a table of networks and GFLOP, as `make bench` writes it; found none.")
    head, found = lines[heads[0]], {}
    for line in lines[heads[0] + 2 :]:
        if len(line) != len(head):
            break
        cells = {name: re.match(r"[\d.]+", cell) for name, cell in zip(head, line, strict=True) if name in FRAMEWORKS}
        found[line[0]] = {name: float(match[0]) for name, match in cells.items() if match}
    return found


def main() -> None:
    """Draws what results.md holds."""
    PICTURE.write_text(draw(times_in(report.RESULTS.read_text("utf8"))), "utf8")


if __name__ == "__main__":
    main()
