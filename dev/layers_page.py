"""Writes ``docs/layers.md``: every layer of Keras 3, and what nb3d has of it.

    python -m dev.layers_page

Nothing in the table is written by hand. Names come from ``tests/layers/keras_layers.txt``, which was recorded from real
Keras; what a layer runs on from the plans of its recorded cases; reasons of refusals from `nb3d.layers.refused`.
``tests/test_layers_page.py`` fails where the page is stale.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nb3d
from nb3d.layers.refused import REFUSED
from tests.layers.golden_cases import CASES, GoldenCase

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "layers.md"
NAMES = ROOT / "tests" / "layers" / "keras_layers.txt"
NOT_LAYERS = {"Layer", "Wrapper"}  # to derive from

HEAD = """# Layers

Every layer of Keras {keras}, and what nb3d has of it. This page is generated: `python -m dev.layers_page`.

*Kernels*: "fast" where all that a layer computes runs on compiled kernels in every recorded case; operations that run
on the reference kernels (plain NumPy) are named. "none" where nothing is computed at inference. *Formats*: data formats
for which outputs of real Keras are recorded; "-" where a layer has no such argument. *Cases*: recorded outputs of real
Keras with which planned and immediate results are compared (`tests/layers/golden`).

| layer | kernels | formats | cases |
|---|---|---|---|
"""
OTHERS = """
## Not in Keras

| layer | what it is |
|---|---|
"""
REFUSALS = """
## Refused

These are refused by name, in Python and in files.

| layers | reason |
|---|---|
"""


@dataclass
class Row:
    """What the recorded cases of a layer say.

    Attributes:
        cases: How many there are.
        formats: The data formats among them.
        steps: How many steps their plans have.
        slow: The operations that run on reference kernels.
    """

    cases: int = 0
    formats: set[str] = field(default_factory=set)
    steps: int = 0
    slow: set[str] = field(default_factory=set)

    def add(self, case: GoldenCase) -> None:
        """Counts a case; what masks and training need besides is not what the layer runs on."""
        data_format = case.config["config"].get("data_format")
        self.formats |= {data_format} - {None}
        self.cases += 1
        if case.masked or case.trains:
            return
        _, symbols, outputs = case.symbolic()
        schedule = nb3d.function(symbols, outputs).plan([x.shape for x in case.inputs()]).schedule
        computed = [item for item in schedule.steps if item.step.output not in schedule.views]
        self.steps += len(computed)
        self.slow |= {item.case.op for item in computed if item.choice.implementation.name == "reference"}

    def kernels(self) -> str:
        """The cell of the table."""
        if not self.steps:
            return "none"
        return f"fast but for {', '.join(sorted(self.slow))}" if self.slow else "fast"


def rows() -> dict[str, Row]:
    """Class name -> what its recorded cases say."""
    found: dict[str, Row] = defaultdict(Row)
    for case in CASES.values():
        found[case.class_name].add(case)
    return dict(found)


def keras_names() -> tuple[str, dict[str, list[str]]]:
    """The version of Keras, and its layers with their aliases."""
    head, *lines = NAMES.read_text("utf8").splitlines()
    names: dict[str, list[str]] = {line: [] for line in lines if "=" not in line}
    for alias, _, name in (line.partition(" = ") for line in lines if "=" in line):
        names[name].append(alias)
    return head.split()[-1], {name: aliases for name, aliases in names.items() if name not in NOT_LAYERS}


def _line(cells: Iterable[Any]) -> str:
    return f"| {' | '.join(map(str, cells))} |\n"


def page() -> str:
    """The page as it should be."""
    version, names = keras_names()
    recorded = rows()
    text = HEAD.format(keras=version)
    for name, aliases in names.items():
        if name in REFUSED:
            continue
        if not hasattr(nb3d.layers, name):
            raise LookupError(f"Keras' layer {name!r} is neither in nb3d.layers nor refused with a reason.")
        row = recorded.get(name, Row())
        formats = "both" if len(row.formats) == 2 else ", ".join(sorted(row.formats)) or "-"
        shown = f"`{name}`" + "".join(f", `{alias}`" for alias in aliases)
        text += _line([shown, row.kernels(), formats, row.cases or "-"])
    text += OTHERS
    known = {*names, *NOT_LAYERS}
    for name, thing in sorted(vars(nb3d.layers).items()):
        if isinstance(thing, type) and issubclass(thing, nb3d.layers.Layer) and thing.__name__ == name not in known:
            text += _line([f"`{name}`", str(inspect.getdoc(thing)).split("\n")[0]])
    text += REFUSALS
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, reason in REFUSED.items():
        reasons[reason].append(f"`{name}`")
    for reason, layers in reasons.items():
        text += _line([", ".join(layers), reason])
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), "utf8")
    print(f"wrote {PAGE}")
