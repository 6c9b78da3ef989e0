"""The plan's own graph: steps over numbered values of known size. Frozen data; a pass returns a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nb3d.engine.opgraph import Op
from nb3d.engine.tensor import TensorSpec
from nb3d.engine.variable import Variable

ValueId = int


@dataclass(frozen=True)
class Step:
    """One operation of the plan.

    Attributes:
        op: The operation.
        inputs: Numbers of its operands; ``None`` for an absent one.
        output: Number of its result.
        attrs: The operation's attributes.
        label: Name of the layer that it belongs to.
        fused: Names of the operations that passes merged into it.
    """

    op: Op
    inputs: tuple[ValueId | None, ...]
    output: ValueId
    attrs: Mapping[str, Any]
    label: str = ""
    fused: tuple[str, ...] = ()

    def operands(self) -> Iterable[ValueId]:
        """The operands that are there."""
        return (value for value in self.inputs if value is not None)


@dataclass(frozen=True)
class Graph:
    """Steps in an order in which they can run.

    Attributes:
        steps: The operations.
        specs: Shape and dtype of every value.
        constants: Values known before the run: arrays (weights, folded results).
        variables: Values read at every run, because a run may change them.
        inputs: Values that the caller feeds.
        outputs: Values that the caller gets.
        updates: ``(variable, value)``: what is assigned after a run.
    """

    steps: tuple[Step, ...]
    specs: Mapping[ValueId, TensorSpec]
    constants: Mapping[ValueId, np.ndarray]
    variables: Mapping[ValueId, Variable]
    inputs: tuple[ValueId, ...]
    outputs: tuple[ValueId, ...]
    updates: tuple[tuple[Variable, ValueId], ...] = ()
    sources: tuple[tuple[Variable, int], ...] = field(default=())

    def producers(self) -> dict[ValueId, Step]:
        """Value -> the step that computes it."""
        return {step.output: step for step in self.steps}

    def uses(self) -> Counter[ValueId]:
        """Value -> how often steps and the caller take it."""
        counts = Counter(value for step in self.steps for value in step.operands())
        counts.update(self.results())
        return counts

    def results(self) -> list[ValueId]:
        """Values that must be there at the end: outputs and updates."""
        return [*self.outputs, *(value for _, value in self.updates)]

    def shape(self, value: ValueId) -> tuple[int, ...]:
        """Sizes of a value; all are known in a plan."""
        return self.specs[value].shape  # type: ignore[return-value]  # all are known in a plan

    def substituted(self, names: Mapping[ValueId, ValueId]) -> Graph:
        """The graph with values replaced by others wherever they are used."""

        def final(value: ValueId) -> ValueId:
            while value in names:
                value = names[value]
            return value

        steps = tuple(
            replace(step, inputs=tuple(None if value is None else final(value) for value in step.inputs))
            for step in self.steps
        )
        return replace(
            self,
            steps=steps,
            outputs=tuple(final(value) for value in self.outputs),
            updates=tuple((variable, final(value)) for variable, value in self.updates),
        )

    def pruned(self) -> Graph:
        """The graph without steps and constants that nothing needs."""
        needed = set(self.results())
        kept: list[Step] = []
        for step in reversed(self.steps):
            if step.output in needed:
                kept.append(step)
                needed.update(step.operands())
        needed.update(self.inputs)
        return replace(
            self,
            steps=tuple(reversed(kept)),
            specs={value: spec for value, spec in self.specs.items() if value in needed},
            constants={value: array for value, array in self.constants.items() if value in needed},
            variables={value: variable for value, variable in self.variables.items() if value in needed},
        )


def check(graph: Graph) -> None:
    """Raises `AssertionError` unless every operand is there before it is used and every value has one source."""
    known = [*graph.inputs, *graph.constants, *graph.variables]
    available = set(known)
    assert len(available) == len(known), "a value has two sources"
    for step in graph.steps:
        for value in step.operands():
            assert value in available, f"step {step.label} ({step.op.name}) uses value {value} before it is there"
        assert step.output not in available, f"value {step.output} has two sources"
        specs = [None if value is None else graph.specs[value] for value in step.inputs]
        assert step.op.infer(*specs, **step.attrs) == graph.specs[step.output], f"wrong spec at {step.label}"
        available.add(step.output)
    missing = [value for value in graph.results() if value not in available]
    assert not missing, f"results {missing} have no source"
