"""Writes into ``docs/cuda.md`` what no kernel of the GPU computes, so that it is seen and does not grow unseen.

    python -m dev.cuda_page

It asks the table about every case of ``tests/kernels/cases.py`` and about the plan of every recorded layer.
``tests/test_cuda_page.py`` fails where the page is stale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nb3d.engine.tensor import TensorSpec
from nb3d.kernels import table
from nb3d.kernels.case import Case
from nb3d.plan.capture import capture
from nb3d.plan.passes import run_passes
from nb3d.plan.schedule import schedule
from tests.kernels.cases import EXAMPLES
from tests.layers.golden_cases import CASES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cuda.md"
START, END = "<!-- gaps:start -->", "<!-- gaps:end -->"


@dataclass
class Gap:
    """An operation that runs on the host for one reason or several.

    Attributes:
        reasons: Why.
        always: Whether there is no kernel at all.
        layers: Recorded layers whose plans ask for it.
    """

    reasons: set[str] = field(default_factory=set)
    always: bool = False
    layers: set[str] = field(default_factory=set)


def why_not(case: Case) -> set[str] | None:
    """Why the GPU's kernels refuse a case: nothing where there is no kernel, ``None`` if one accepts."""
    try:
        refusals = [item.accepts(case) for item in table.implementations(case.op, "cuda")]
    except table.UnknownOperation:
        return set()
    return None if None in refusals else {reason for reason in refusals if reason is not None}


def layer_cases() -> Iterator[tuple[str, Case]]:
    """The class of every recorded layer, and the cases in its plan that go to the host."""
    for golden in CASES.values():
        _, symbols, outputs = golden.symbolic()
        specs = [TensorSpec(symbol.shape, symbol.dtype) for symbol in symbols]
        for item in schedule(run_passes(capture(symbols, specs, outputs, [])), "cuda", 2).host_steps:
            yield golden.class_name, item.case


def gaps() -> dict[str, Gap]:
    """Operations with what is missing of them."""
    found: dict[str, Gap] = defaultdict(Gap)
    for layer, case in [*((None, example.case) for example in EXAMPLES), *layer_cases()]:
        reasons = why_not(case)
        if reasons is not None:
            gap = found[case.op]
            gap.reasons |= reasons
            gap.always |= not reasons
            gap.layers |= {layer} - {None}  # type: ignore[arg-type]
    return dict(sorted(found.items()))


def section() -> str:
    """The table as Markdown."""
    lines = ["| operation | why it runs on the host | layers that need it |", "| --- | --- | --- |"]
    for op, gap in gaps().items():
        why = "no kernel yet" if gap.always else "; ".join(sorted(gap.reasons))
        lines.append(f"| `{op}` | {why} | {', '.join(sorted(gap.layers)) or '-'} |")
    return "\n".join(lines)


def page() -> str:
    """The page as it has to be."""
    text = PAGE.read_text("utf8")
    return f"{text[: text.index(START) + len(START)]}\n{section()}\n{text[text.index(END) :]}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf8")
