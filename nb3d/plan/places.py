"""Where values lie: which of them share memory, so that nothing is copied that could be written in its place.

* A reshaped value is the bytes that it was made of.
* An operand of a concatenation of channels is written into its slice of the result, where the kernels that write and
  read it can leave out the other channels in between. The result then lives from its first slice on, so the memory of a
  run decides whether that is done.
* A result takes the place of an operand that nobody reads afterwards, where the kernel may overwrite it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from nb3d.plan.arena import Interval, lay_out
from nb3d.plan.graph import Graph, Step, ValueId

OUT = -1
Positions = Callable[[Step], tuple[int, ...]]  # of operands of a step's kernel, `OUT` for its result


@dataclass(frozen=True)
class Place:
    """The memory of a value.

    Attributes:
        root: The value whose memory it is.
        channel: The first channel of the root that it is, where it has fewer.
    """

    root: ValueId
    channel: int = 0


Places = Mapping[ValueId, Place]


@dataclass(frozen=True)
class Abilities:
    """What the kernels of the steps can do.

    Attributes:
        slices: Operands that may be slices of the channels of a larger array.
        overwrites: Inputs whose memory the result may take.
    """

    slices: Positions
    overwrites: Positions


def nbytes(graph: Graph, value: ValueId) -> int:
    """Bytes of a value."""
    return prod(graph.shape(value)) * np.dtype(graph.specs[value].dtype).itemsize


def is_reshaped(step: Step, graph: Graph) -> bool:
    """Whether a step only renames the sizes of bytes that are there during the run."""
    return step.op.name in ("reshape", "unfold") and step.inputs[0] not in graph.constants


def find_places(graph: Graph, can: Abilities) -> dict[ValueId, Place]:
    """Places for all values: those that need the least memory in a run, and of these those with the fewest copies."""
    none = _reshaped(graph)
    late, early = (_sliced(graph, none, can.slices, early) for early in (False, True))
    best = min((early, late, none), key=lambda places: arena_bytes(graph, places))
    return _overwriting(graph, best, can.overwrites)


def arena_bytes(graph: Graph, places: Places) -> int:
    """Bytes of the arena."""
    return lay_out(intervals(graph, places)).size


def intervals(graph: Graph, places: Places) -> list[Interval]:
    """The lives of the values that lie in the arena: results of steps that the caller does not get, and Variables."""
    elsewhere = {*graph.inputs, *graph.constants, *result_roots(graph, places)}
    return [
        Interval(root, first, last, nbytes(graph, root))
        for root, (first, last) in lives(graph, places).items()
        if root not in elsewhere
    ]


def result_roots(graph: Graph, places: Places) -> set[ValueId]:
    """The memory that the caller gets: that of outputs which are computed."""
    return {places[value].root for value in graph.outputs} - {*graph.inputs, *graph.variables, *graph.constants}


def lives(graph: Graph, places: Places) -> dict[ValueId, tuple[int, int]]:
    """Root -> the first step that writes it (-1 before the run) and the last one that reads it."""
    steps: dict[ValueId, list[int]] = defaultdict(list)
    for value in (*graph.inputs, *graph.variables):
        steps[places[value].root].append(-1)
    for index, step in enumerate(graph.steps):
        for value in (*step.operands(), step.output):
            if value not in graph.constants:
                steps[places[value].root].append(index)
    for value in graph.results():
        if value not in graph.constants:
            steps[places[value].root].append(len(graph.steps))
    return {root: (min(found), max(found)) for root, found in steps.items()}


def is_slice(value: ValueId, graph: Graph, places: Places) -> bool:
    """Whether a value has some of the channels of its root: reshaped and overwritten ones have as many values."""
    return prod(graph.shape(value)) != prod(graph.shape(places[value].root))


def is_in_place(step: Step, places: Places) -> bool:
    """Whether all operands of a concatenation lie where its result is."""
    root = places[step.output].root
    return step.op.name == "concatenate" and all(places[value].root == root for value in step.operands())


def _reshaped(graph: Graph) -> dict[ValueId, Place]:
    places = {value: Place(value) for value in graph.specs}
    for step in graph.steps:
        if is_reshaped(step, graph):
            source, *_ = step.operands()
            places[step.output] = places[source]
    return places


def _readers(graph: Graph) -> dict[ValueId, list[tuple[Step, int]]]:
    readers: dict[ValueId, list[tuple[Step, int]]] = defaultdict(list)
    for step in graph.steps:
        for position, value in enumerate(step.inputs):
            if value is not None:
                readers[value].append((step, position))
    return readers


def _sliced(graph: Graph, places: Places, slices: Positions, early: bool) -> dict[ValueId, Place]:
    """Places with operands of concatenations in the results; only the last one of each unless ``early``."""
    producers, readers, results = graph.producers(), _readers(graph), set(graph.results())
    order = {step.output: index for index, step in enumerate(graph.steps)}
    parents: dict[ValueId, Place] = {}

    def fits(value: ValueId, whole: Step) -> bool:
        producer = producers.get(value)
        if producer is None or value in results or value in parents or places[value] != Place(value):
            return False
        others = [(step, position) for step, position in readers[value] if step is not whole]
        return (
            len(readers[value]) == len(others) + 1  # once, if it is to lie in one place
            and graph.specs[value].dtype == graph.specs[whole.output].dtype
            and OUT in slices(producer)
            and not any(is_reshaped(step, graph) for step, _ in others)
            and all(position in slices(step) for step, position in others)
        )

    for step in graph.steps:
        if step.op.name != "concatenate" or step.attrs["axis"] not in (-1, len(graph.shape(step.output)) - 1):
            continue
        last = max(order.get(value, -1) for value in step.operands())
        channel = 0
        for value in step.operands():
            if fits(value, step) and (early or order[value] == last):
                parents[value] = Place(step.output, channel)
            channel += graph.shape(value)[-1]

    def final(value: ValueId) -> Place:
        """Slices of slices begin where their channels add up to."""
        channel = 0
        while value in parents:
            channel += parents[value].channel
            value = parents[value].root
        return Place(places[value].root, channel)

    return {value: final(value) for value in places}


def _overwriting(graph: Graph, places: Places, overwrites: Positions) -> dict[ValueId, Place]:
    """Places with results in those of operands that die."""
    result = dict(places)
    alive = lives(graph, places)
    last = {root: end for root, (_, end) in alive.items()}
    kept = {*graph.inputs, *graph.variables, *graph.constants, *(places[value].root for value in graph.results())}
    members: dict[ValueId, list[ValueId]] = defaultdict(list)
    for value, place in places.items():
        members[place.root].append(value)
    for index, step in enumerate(graph.steps):
        out = step.output
        if out in kept or members[places[out].root] != [out]:
            continue
        for position in overwrites(step):
            operand = step.inputs[position]
            if operand is None or operand in graph.constants:
                continue
            root = result[operand].root
            if root in kept or last[root] != index or graph.specs[root] != graph.specs[out]:
                continue
            if any(other != operand and result[other].root == root for other in step.operands()):
                continue  # it would be read where it is written already
            result[out] = Place(root)
            last[root] = last[out]
            break
    return result
