"""Running a plan: a list of calls on views of an arena."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from nb3d.engine.variable import Variable
from nb3d.plan import watch
from nb3d.plan.arena import ALIGNMENT
from nb3d.plan.graph import Graph, ValueId
from nb3d.plan.schedule import Schedule, ScheduledStep

Call = tuple[Callable[..., None], tuple[Any, ...]]


class _Bound:
    """A plan bound to one arena: views of every value, and the calls on them."""

    def __init__(self, plan: Schedule, packed: Sequence[tuple[np.ndarray | None, ...]]) -> None:
        graph = plan.graph
        memory = np.empty(plan.arena_bytes + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        self.memory = memory[start : start + plan.arena_bytes]
        self.views: dict[ValueId, np.ndarray] = dict(graph.constants)
        for value, spec in graph.specs.items():
            root = plan.roots[value]
            if root in plan.layout.offsets:
                at = plan.layout.offsets[root]
                size = int(np.prod(graph.shape(value), dtype=np.int64)) * np.dtype(spec.dtype).itemsize
                self.views[value] = self.memory[at : at + size].view(spec.dtype).reshape(graph.shape(value))
        scratch = self.memory[plan.layout.size :]
        self.items: list[ScheduledStep] = []  # of the calls
        self.calls: list[Call] = []
        for item, constants in zip(plan.steps, packed, strict=True):
            if item.step.output in plan.views:
                continue
            operands = [
                constant if constant is not None else self.views[value]  # type: ignore[index]
                for value, constant in zip(item.step.inputs, constants, strict=True)
            ]
            kernel = item.choice.implementation.load(item.case)
            self.items.append(item)
            self.calls.append((kernel, (*operands, self.views[item.step.output], scratch, *item.case.params)))


class Executor:
    """Runs a schedule, in several threads at once if need be: every run has an arena of its own.

    Args:
        plan: The schedule.
    """

    def __init__(self, plan: Schedule) -> None:
        self._packed = [_constants(item, plan.graph) for item in plan.steps]
        self._validating = watch.validating()
        self.plan = plan if self._validating else _without_weights(plan)  # the reference takes them as they are
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
        for item, (kernel, arguments) in zip(bound.items, bound.calls, strict=True):
            if watch.timing():
                watch.timed(item, kernel, arguments)
            else:
                kernel(*arguments)
            if self._validating:
                absent = np.empty(0, item.case.out_dtype)
                inputs = [absent if value is None else bound.views[value] for value in item.step.inputs]
                watch.validate(item, inputs, bound.views[item.step.output])

    def __call__(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for arrays of the planned sizes; updates are carried out at the end."""
        graph = self.plan.graph
        with self._bound() as bound:
            for value, array in zip(graph.inputs, inputs, strict=True):
                np.copyto(bound.views[value], array, casting="unsafe")
            for value, variable in graph.variables.items():
                np.copyto(bound.views[value], variable.value)
            if self._validating or watch.timing():
                self._run_watched(bound)
            else:
                for kernel, arguments in bound.calls:
                    kernel(*arguments)
            changes: list[tuple[Variable, np.ndarray]] = [(v, bound.views[value].copy()) for v, value in graph.updates]
            outputs = [bound.views[value].copy() for value in graph.outputs]
        for variable, array in changes:
            variable.assign(array)
        return outputs


def _without_weights(plan: Schedule) -> Schedule:
    """The plan without constants that live on in packed form."""
    results = set(plan.graph.results())
    kept = {value: array for value, array in plan.graph.constants.items() if value in results}
    return replace(plan, graph=replace(plan.graph, constants=kept))


def _constants(item: ScheduledStep, graph: Graph) -> tuple[np.ndarray | None, ...]:
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
