"""The error of Winograd's convolution beside that of the direct one, on ordinary and on hostile data.

    make accuracy          writes docs/accuracy.md

Every tile along one axis, and where a kernel has three such axes: errors against float64, in units of the largest
output, so that no speed is bought unseen.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from pathlib import Path

from nb3d.kernels import policy
from nb3d.kernels.cpu.winograd import cost
from tests.kernels.accuracy import DATA, error, exact, problem, run, run_tile

PAGE = Path(__file__).resolve().parent.parent / "docs" / "accuracy.md"
CHANNELS = 32

INTRODUCTION = f"""
Where it pays, nb3d computes convolutions of stride 1 by Winograd's minimal filtering: fewer multiplications, and more
rounding. By default a tile is chosen only if the error to expect on ordinary data (zero mean, unit variance) is at most
{policy.MAX_ERROR:g} of the largest output; `nb3d.config.set_algorithm("strict")` computes the definition instead, and
`nb3d.config.set_algorithm("auto", max_error=...)` sets another bound.

F(m, k) makes m outputs of k taps along an axis. The table has the largest error against float64, in units of the
largest output, and in brackets that of the direct kernel on the same data: {CHANNELS} channels, 16 filters, 12^3
voxels. Tiles in italics are beyond the default bound and never chosen unless they are asked for.

Weights are transformed once, in float64. Where large ones are transformed at every run instead, in the dtype of the
volume, the same bounds hold and are tested; the errors found are the same within the scatter of the data.
"""

EXPLANATIONS = {
    "normal": "zero mean, unit variance",
    "offset": "the same plus 100",
    "alternating": "the same plus 100, its sign changing from voxel to voxel",
    "range": "normal values times 10^-2 to 10^2",
    "islands": "normal values, every hundredth times 10,000",
}


def variants() -> Iterator[tuple[tuple[int, int, int], tuple[int, int, int]]]:
    """Tiles and kernels along one axis, then along three."""
    for m, k in cost.TILES:
        yield (m, 1, 1), (k, 1, 1)
    for m, k in cost.TILES:
        if m + k - 1 <= 8:
            yield (m, m, m), (k, k, k)


def row(tile: tuple[int, int, int], kernel: tuple[int, int, int]) -> str:
    """A line of the table."""
    cells = []
    for values in DATA:
        case, inputs = problem(values, kernel, CHANNELS)
        expected = exact(case, inputs)
        found, direct = error(run_tile(tile, case, inputs), expected), error(run("direct", case, inputs), expected)
        cells.append(f"{found:.1e} ({direct:.1e})")
    case, _ = problem("normal", kernel, CHANNELS)
    axes = sum(k > 1 for k in kernel)
    name = f"F({tile[0]}, {kernel[0]})" + (f", {axes} axes" if axes > 1 else "")
    name = name if cost.error_of(case, tile) <= policy.MAX_ERROR else f"*{name}*"
    saved = math.prod(m * k / (m + k - 1) for m, k in zip(tile, kernel, strict=True))
    return f"| {name} | {saved:.2f} | {' | '.join(cells)} |"


def main() -> None:
    """Measures, and writes the page."""
    lines = ["# Accuracy of Winograd's convolution", "", "Made by `make accuracy`.", INTRODUCTION.rstrip(), ""]
    lines += [f"| tile | fewer multiplications | {' | '.join(DATA)} |", f"| --- | ---: |{' ---: |' * len(DATA)}"]
    for tile, kernel in variants():
        lines.append(row(tile, kernel))
        print(lines[-1], flush=True)
    explained = "; ".join(f"*{name}*: {text}" for name, text in EXPLANATIONS.items())
    lines += ["", *textwrap.wrap(f"Data: {explained}.", 118), ""]
    PAGE.write_text("\n".join(lines), encoding="utf8")


if __name__ == "__main__":
    main()
