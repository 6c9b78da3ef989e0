"""Running a plan: a list of calls on views of an arena.

Inputs are read where the caller has them, and results are written where the caller gets them, so a run copies nothing:
at every run the few arguments that see inputs or results are exchanged. An input that is not as kernels want it
(another dtype, not contiguous) is copied.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from nb3d.engine.variable import Variable
from nb3d.plan import watch
from nb3d.plan.arena import ALIGNMENT
from nb3d.plan.graph import Graph, ValueId
from nb3d.plan.places import is_slice, nbytes, result_roots
from nb3d.plan.schedule import Schedule, ScheduledStep

Call = tuple[Callable[..., None], list[Any]]
_NOTHING = np.empty(0, np.uint8)  # stands for an input or a result between runs


class _Results:
    """Memory for a result. A block that the caller has dropped serves again: fresh memory costs more than many a run.

    Arrays on a block, views of them included, hold references to it, so a block is free when only this object does.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._blocks = [np.empty(0, np.uint8)]

    def fresh(self) -> np.ndarray:
        """Aligned bytes that nobody else sees."""
        if self._blocks[0].size == 0 or _references(self._blocks) > _UNSHARED:
            self._blocks = [np.empty(self._size + ALIGNMENT, np.uint8)]  # who still has the last block keeps it
        return _aligned(self._blocks[0])[: self._size]


def _references(blocks: list[np.ndarray]) -> int:
    """References to the first block. How many a question adds depends on the version of Python, so it is measured."""
    block = blocks[0]
    return sys.getrefcount(block)


_UNSHARED = _references([np.empty(1, np.uint8)])


class _Bound:
    """A plan bound to one arena: views of every value, and the calls on them."""

    def __init__(self, plan: Schedule, packed: Sequence[tuple[np.ndarray | None, ...]]) -> None:
        self._graph = graph = plan.graph
        self._places = places = plan.places
        memory = _aligned(np.empty(plan.arena_bytes + ALIGNMENT, np.uint8))
        self.memory = memory[: plan.arena_bytes]
        self._results = {root: _Results(nbytes(graph, root)) for root in sorted(result_roots(graph, places))}
        self._copies: dict[ValueId, np.ndarray] = {}  # of inputs that kernels cannot read where they are
        self._arrays: dict[ValueId, np.ndarray] = {}  # of one run: inputs and results
        self.views: dict[ValueId, np.ndarray] = dict(graph.constants)
        self.views |= {root: self._in_arena(root, at) for root, at in plan.layout.offsets.items()}
        for value in graph.specs:
            if places[value].root in plan.layout.offsets:
                self.views[value] = self._part(value, self.views[places[value].root])
        scratch = self.memory[plan.layout.size :]
        moving = {*self._results, *graph.inputs}
        self.items: list[ScheduledStep] = []  # of the calls
        self.calls: list[Call] = []
        self._exchanged: list[tuple[list[Any], int, ValueId]] = []
        for item, constants in zip(plan.steps, packed, strict=True):
            if item.step.output in plan.views:
                continue
            values = [None if known is not None else v for v, known in zip(item.step.inputs, constants, strict=True)]
            values.append(item.step.output)
            arguments: list[Any] = [
                known if value is None else self.views.get(value, _NOTHING)
                for value, known in zip(values, (*constants, None), strict=True)
            ]
            arguments += [scratch, *item.case.params]
            self.items.append(item)
            self.calls.append((item.choice.implementation.load(item.case), arguments))
            self._exchanged += [
                (arguments, position, value)
                for position, value in enumerate(values)
                if value is not None and places[value].root in moving
            ]

    def _in_arena(self, root: ValueId, at: int) -> np.ndarray:
        array = self.memory[at : at + nbytes(self._graph, root)].view(self._graph.specs[root].dtype)
        return array.reshape(self._graph.shape(root))

    def _part(self, value: ValueId, memory: np.ndarray) -> np.ndarray:
        """A value in the memory of its root."""
        shape, first = self._graph.shape(value), self._places[value].channel
        if is_slice(value, self._graph, self._places):
            return memory[..., first : first + shape[-1]]
        return memory.reshape(shape)

    def _copy(self, value: ValueId, array: np.ndarray) -> np.ndarray:
        """An input as kernels want it."""
        if value not in self._copies:
            self._copies[value] = np.empty(self._graph.shape(value), self._graph.specs[value].dtype)
        np.copyto(self._copies[value], array, casting="unsafe")
        return self._copies[value]

    def array(self, value: ValueId) -> np.ndarray:
        """Where a value lies in this run."""
        root = self._places[value].root
        return self._part(value, self._arrays[root]) if root in self._arrays else self.views[value]

    @contextmanager
    def taking(self, inputs: Sequence[np.ndarray]) -> Iterator[None]:
        """Points the calls at the inputs of a run and at memory for its results; keeps nobody's arrays afterwards."""
        graph = self._graph
        try:
            for value, array in zip(graph.inputs, inputs, strict=True):
                as_wanted = array.dtype == graph.specs[value].dtype
                as_wanted = as_wanted and array.flags.c_contiguous and array.flags.aligned
                self._arrays[value] = array if as_wanted else self._copy(value, array)
            for root, results in self._results.items():
                self._arrays[root] = results.fresh().view(graph.specs[root].dtype).reshape(graph.shape(root))
            for arguments, position, value in self._exchanged:
                arguments[position] = self.array(value)
            yield
        finally:
            self._arrays.clear()
            for arguments, position, _ in self._exchanged:
                arguments[position] = _NOTHING


class Executor:
    """Runs a schedule, in several threads at once if need be: every run has an arena of its own.

    Args:
        plan: The schedule.
        checking: Whether to stop at the first value that is not finite.
    """

    def __init__(self, plan: Schedule, checking: bool = False) -> None:
        self._packed = [constants_of(item, plan.graph) for item in plan.steps]
        self._validating = watch.validating()
        self._checking = checking
        self.plan = plan if self._validating or checking else without_weights(plan)  # they are looked at as they are
        self._idle: list[_Bound] = []
        self._lock = threading.Lock()

    @contextmanager
    def _bound(self) -> Any:
        with self._lock:
            bound = self._idle.pop() if self._idle else None
        bound = bound or _Bound(self.plan, self._packed)
        try:
            yield bound
        finally:
            with self._lock:
                self._idle.append(bound)

    def _run_watched(self, bound: _Bound) -> None:
        layers = layers_of(bound.items)
        for layer, item, (kernel, arguments) in zip(layers, bound.items, bound.calls, strict=True):
            if watch.timing():
                watch.timed(item, kernel, tuple(arguments))
            else:
                kernel(*arguments)
            if self._validating:
                absent = np.empty(0, item.case.out_dtype)
                inputs = [absent if value is None else bound.array(value) for value in item.step.inputs]
                watch.validate(item, inputs, bound.array(item.step.output))
            if self._checking:
                weights = [self.plan.graph.constants[v] for v in item.step.operands() if v in self.plan.graph.constants]
                watch.check_step(layer, item, weights, bound.array(item.step.output))

    def __call__(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for arrays of the planned sizes; updates are carried out at the end."""
        graph, places = self.plan.graph, self.plan.places
        with self._bound() as bound, bound.taking(inputs):
            for value, variable in graph.variables.items():
                np.copyto(bound.views[value], variable.value)
            if self._checking or self._validating or watch.timing():
                self._run_watched(bound)
            else:
                for kernel, arguments in bound.calls:
                    kernel(*arguments)
            changes: list[tuple[Variable, np.ndarray]] = [(v, bound.array(value).copy()) for v, value in graph.updates]
            outputs, taken = [], {*graph.inputs, *graph.variables, *graph.constants}
            for value in graph.outputs:
                array = bound.array(value)
                outputs.append(array.copy() if places[value].root in taken else array)
                taken.add(places[value].root)  # no two results share memory
        for variable, array in changes:
            variable.assign(array)
        return outputs


def layers_of(items: Sequence[ScheduledStep]) -> list[str]:
    """The layer of every step: the last step of a layer has its name, those before it within the layer have none."""
    layers, layer = [], ""
    for item in reversed(items):
        layer = item.step.label or layer
        layers.append(layer)
    return layers[::-1]


def without_weights(plan: Schedule) -> Schedule:
    """The plan without constants that live on in packed form."""
    results = set(plan.graph.results())
    kept = {value: array for value, array in plan.graph.constants.items() if value in results}
    return replace(plan, graph=replace(plan.graph, constants=kept))


def _aligned(memory: np.ndarray) -> np.ndarray:
    return memory[-memory.ctypes.data % ALIGNMENT :]


def constants_of(item: ScheduledStep, graph: Graph) -> tuple[np.ndarray | None, ...]:
    """A step's constant operands, packed; None where an operand is computed during the run."""
    operands = tuple(
        np.empty(0, item.case.out_dtype) if value is None else graph.constants.get(value)
        for value in item.step.inputs
    )
    stand_ins = tuple(
        np.broadcast_to(np.zeros((), dtype), shape) if array is None else np.ascontiguousarray(array).reshape(shape)
        for array, shape, dtype in zip(operands, item.case.inputs, item.case.dtypes, strict=True)
    )
    prepared = item.choice.implementation.prepare(item.case, stand_ins)
    return tuple(None if array is None else new for array, new in zip(operands, prepared, strict=True))
