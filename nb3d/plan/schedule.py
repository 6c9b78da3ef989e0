"""Kernels chosen, constants packed, memory laid out: a plan that is ready to be bound to an arena."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from nb3d.kernels import table
from nb3d.kernels.case import Case
from nb3d.kernels.table import Choice
from nb3d.plan.arena import Interval, Layout, lay_out
from nb3d.plan.graph import Graph, Step, ValueId


@dataclass(frozen=True)
class ScheduledStep:
    """A step with its case and the implementation that will compute it."""

    step: Step
    case: Case
    choice: Choice


@dataclass(frozen=True)
class Schedule:
    """A graph whose every step has a kernel and whose every value has a place.

    Attributes:
        graph: The rewritten graph.
        steps: Its steps with their kernels.
        views: Results of steps that no kernel computes, for they only rename the sizes of bytes in the arena.
        roots: Value -> the value whose bytes it shares.
        layout: Offsets of the roots in the arena.
        scratch: Bytes that kernels may scribble on, at the end of the arena.
    """

    graph: Graph
    steps: tuple[ScheduledStep, ...]
    views: frozenset[ValueId]
    roots: dict[ValueId, ValueId]
    layout: Layout
    scratch: int

    @property
    def arena_bytes(self) -> int:
        """Memory that a run needs besides weights, inputs and results."""
        return self.layout.size + self.scratch

    @property
    def constant_bytes(self) -> int:
        """Memory of the weights as the graph has them."""
        return sum(array.nbytes for array in self.graph.constants.values())


def case_of(step: Step, graph: Graph) -> Case:
    """The case that the table is asked about."""
    specs = tuple(None if value is None else graph.specs[value] for value in step.inputs)
    out = graph.specs[step.output]
    return Case(
        op=step.op.name,
        inputs=tuple((0,) if value is None else graph.shape(value) for value in step.inputs),
        dtypes=tuple(out.dtype if spec is None else spec.dtype for spec in specs),
        out=graph.shape(step.output),
        out_dtype=out.dtype,
        params=step.op.params(specs, out, step.attrs),
        constant=tuple(value in graph.constants for value in step.inputs),
    )


def schedule(graph: Graph, device: str, threads: int) -> Schedule:
    """Chooses kernels and lays out memory; nothing is allocated.

    Args:
        graph: The rewritten graph.
        device: ``'cpu'`` or ``'cuda'``.
        threads: The largest number of threads that a run may use.
    """
    steps = []
    for step in graph.steps:
        case = case_of(step, graph)
        steps.append(ScheduledStep(step, case, table.select(case, device)))
    views = frozenset(step.output for step in graph.steps if _is_view(step, graph))
    roots = _roots(graph, views)
    scratch = max((item.choice.implementation.scratch(item.case, threads) for item in steps), default=0)
    return Schedule(graph, tuple(steps), views, roots, lay_out(_intervals(graph, roots)), scratch)


def _is_view(step: Step, graph: Graph) -> bool:
    return step.op.name == "reshape" and step.inputs[0] not in graph.constants


def _roots(graph: Graph, views: frozenset[ValueId]) -> dict[ValueId, ValueId]:
    roots = {value: value for value in graph.specs}
    for step in graph.steps:
        if step.output in views:
            (source,) = step.operands()
            roots[step.output] = roots[source]
    return roots


def _intervals(graph: Graph, roots: dict[ValueId, ValueId]) -> list[Interval]:
    """The life of everything that lies in the arena: inputs, changing Variables, and results of steps."""
    first = dict.fromkeys([*graph.inputs, *graph.variables], -1)
    last = dict(first)
    for index, step in enumerate(graph.steps):
        root = roots[step.output]
        if root == step.output:
            first[root] = index
        for value in (*step.operands(), step.output):
            if roots[value] in first:
                last[roots[value]] = index
    for value in graph.results():
        if roots[value] in first:
            last[roots[value]] = len(graph.steps)
    return [Interval(value, first[value], last[value], nbytes(graph, value)) for value in first]


def nbytes(graph: Graph, value: ValueId) -> int:
    """Bytes of a value."""
    return prod(graph.shape(value)) * np.dtype(graph.specs[value].dtype).itemsize
