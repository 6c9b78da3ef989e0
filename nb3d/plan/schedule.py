"""Kernels chosen, constants packed, memory laid out: a plan that is ready to be bound to an arena."""

from __future__ import annotations

from dataclasses import dataclass

from nb3d.kernels import table
from nb3d.kernels.case import Case
from nb3d.kernels.table import Choice
from nb3d.plan.arena import Layout, lay_out
from nb3d.plan.graph import Graph, Step, ValueId
from nb3d.plan.places import (
    Abilities,
    Places,
    find_places,
    intervals,
    is_in_place,
    is_reshaped,
    is_slice,
    nbytes,
    result_roots,
)


@dataclass(frozen=True)
class ScheduledStep:
    """A step with its case and the implementation that will compute it."""

    step: Step
    case: Case
    choice: Choice

    def is_on_host(self, device: str) -> bool:
        """Whether the CPU computes the step in a plan for another device."""
        return self.choice.implementation.device != device


@dataclass(frozen=True)
class Schedule:
    """A graph whose every step has a kernel and whose every value has a place.

    Attributes:
        device: Where it runs: ``'cpu'`` or ``'cuda'``.
        graph: The rewritten graph.
        steps: Its steps with their kernels.
        views: Results of steps that no kernel computes, for their bytes are there already.
        places: Value -> the memory that it lies in.
        layout: Offsets of the roots in the arena.
        scratch: Bytes that kernels may scribble on, at the end of the arena.
    """

    device: str
    graph: Graph
    steps: tuple[ScheduledStep, ...]
    views: frozenset[ValueId]
    places: Places
    layout: Layout
    scratch: int

    @property
    def host_steps(self) -> tuple[ScheduledStep, ...]:
        """The steps that the device has no kernel for."""
        items = (item for item in self.steps if item.step.output not in self.views)
        return tuple(item for item in items if item.is_on_host(self.device))

    @property
    def arena_bytes(self) -> int:
        """Memory that a run needs besides weights, inputs and results."""
        return self.layout.size + self.scratch

    @property
    def outside_bytes(self) -> int:
        """Memory of the inputs and of the results."""
        values = (*self.graph.inputs, *result_roots(self.graph, self.places))
        return sum(nbytes(self.graph, value) for value in values)

    @property
    def constant_bytes(self) -> int:
        """Memory of the weights as the graph has them."""
        return sum(array.nbytes for array in self.graph.constants.values())


def case_of(step: Step, graph: Graph, places: Places | None = None) -> Case:
    """The case that the table is asked about; all operands are contiguous unless ``places`` says otherwise."""
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
        pitches=() if places is None else _pitches(step, graph, places),
    )


def _pitches(step: Step, graph: Graph, places: Places) -> tuple[int, ...]:
    """Values from one voxel to the next of every operand and of the result, where one of them is a slice."""
    own, pitches = [], []
    for value in (*step.inputs, step.output):
        channels = 0 if value is None else (graph.shape(value) or (1,))[-1]
        own.append(channels)
        sliced = value is not None and is_slice(value, graph, places)
        pitches.append(graph.shape(places[value].root)[-1] if value is not None and sliced else channels)
    return tuple(pitches) if pitches != own else ()


def schedule(graph: Graph, device: str, threads: int, overwrite: bool = True) -> Schedule:
    """Chooses kernels and lays out memory; nothing is allocated.

    Args:
        graph: The rewritten graph.
        device: ``'cpu'`` or ``'cuda'``.
        threads: The largest number of threads that a run may use.
        overwrite: Whether results may take the place of operands that nobody reads afterwards.
    """
    alone = {step.output: _scheduled(step, graph, device) for step in graph.steps}

    def slices(step: Step) -> tuple[int, ...]:
        item = alone[step.output]
        return () if item.is_on_host(device) else item.choice.implementation.slices(item.case)

    def overwrites(step: Step) -> tuple[int, ...]:
        item = alone[step.output]
        return item.choice.implementation.overwrites(item.case) if overwrite and not item.is_on_host(device) else ()

    places = find_places(graph, Abilities(slices, overwrites))
    steps = tuple(_scheduled(step, graph, device, places) for step in graph.steps)
    views = frozenset(
        step.output for step in graph.steps if is_reshaped(step, graph) or is_in_place(step, places)
    )
    there = [item for item in steps if not item.is_on_host(device)]
    scratch = max((item.choice.implementation.scratch(item.case, threads) for item in there), default=0)
    return Schedule(device, graph, steps, views, places, lay_out(intervals(graph, places)), scratch)


def _scheduled(step: Step, graph: Graph, device: str, places: Places | None = None) -> ScheduledStep:
    case = case_of(step, graph, places)
    return ScheduledStep(step, case, _choice(case, device))


def _choice(case: Case, device: str) -> Choice:
    """What computes a case: a kernel of the device, or where it has none, one of the host."""
    try:
        return table.select(case, device)
    except (table.UnknownOperation, table.Refused) as error:
        if device == "cpu":
            raise
        host = table.select(case, "cpu")
        reason = str(error).partition(". Case:")[0]
        return Choice(host.implementation, ((device, reason), *host.refusals))
