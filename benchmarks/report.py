"""benchmarks/results.md, and in the README the blocks of it that have a place there.

`python -m benchmarks.report` copies what results.md holds into README.md.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results.md"
README = ROOT / "README.md"

# Names of the blocks: `<!-- bench:start -->` to `<!-- bench:end -->` is replaced, the rest of a page is left alone.
BENCH, LAYERS, MEMORY, SCALING, STAGES, COLD = "bench", "layers", "memory", "scaling", "stages", "cold"

TEMPLATE = """# Results

Made by `make bench`: everything on this page. `run.py` says how.

## Speed

Milliseconds: medians of interleaved runs, inputs lying ready in each framework's own layout. In brackets GFLOP/s by the
definition of the convolution, whatever a framework really computes; or GB/s, input and output counted once, where there
are no products. Every output was compared with nb3d's: in float32 the largest difference is below 1e-3 of the largest
value; in bfloat16, which has 8 bits of mantissa, the root mean square of differences is below 5e-2 of the output's.
The last columns are the time of the fastest float32 peer over nb3d's, and of OpenVINO's in bfloat16: above 1, nb3d is
the faster. Who took more than five times as long as the second fastest was not run again.

<!-- bench:start -->
<!-- bench:end -->

## Single layers

PyTorch has the faster one of channels-last and contiguous memory, chosen outside the timed part, and gets its volume
padded beforehand where the padding is uneven. The other peers but TensorFlow take channels first.

<!-- layers:start -->
<!-- layers:end -->

## Peak memory

<!-- memory:start -->
<!-- memory:end -->

## Cost per voxel, and threads

<!-- scaling:start -->
<!-- scaling:end -->

## Where nb3d's time goes

<!-- stages:start -->
<!-- stages:end -->

## From import to a first prediction

<!-- cold:start -->
<!-- cold:end -->
"""


def write(block: str, text: str) -> None:
    """Puts a block into results.md, whose other blocks stay, and into the README where it has a place for it."""
    RESULTS.write_text(replaced(renewed(_read(RESULTS)), block, text), encoding="utf8")
    update_readme()


def update_readme() -> None:
    """Copies the blocks of results.md into the README, where it has places for them."""
    results, page = _read(RESULTS), _read(README)
    if page:
        README.write_text(_filled(page, results), encoding="utf8")


def renewed(page: str) -> str:
    """The template with the blocks of a page that it has."""
    return _filled(TEMPLATE, page)


def replaced(page: str, block: str, text: str) -> str:
    """A page with another text in one of its blocks.

    Raises:
        ValueError: The page has no such block.
    """
    page, count = _block(block).subn(lambda match: f"{match[1]}\n{text.strip()}\n{match[3]}", page)
    if count != 1:
        raise ValueError(f"Expected one pair of marks <!-- {block}:start --> and <!-- {block}:end -->, got {count}.")
    return page


def _filled(page: str, source: str) -> str:
    """A page whose blocks are those of another one, where that one has them."""
    for block in (BENCH, LAYERS, MEMORY, SCALING, STAGES, COLD):
        found = _block(block).search(source)
        if found and found[2].strip() and _block(block).search(page):
            page = replaced(page, block, found[2])
    return page


def _read(path: Path) -> str:
    return path.read_text(encoding="utf8") if path.exists() else ""


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}:start -->)\n(.*?)(<!-- {name}:end -->)", re.DOTALL)


if __name__ == "__main__":
    update_readme()
