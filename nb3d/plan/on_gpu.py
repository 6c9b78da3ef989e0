"""Running a plan on a GPU: one arena there, launches recorded once, then repeated.

Weights are packed and uploaded once. A run copies inputs into the arena, repeats the launches, and copies results back:
one stream, and the host waits once, for the last result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from nb3d.engine.variable import Variable
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import Launch, recording
from nb3d.kernels.cuda.runtime import Runtime
from nb3d.plan import watch
from nb3d.plan.executor import constants_of, layers_of, without_weights
from nb3d.plan.graph import ValueId
from nb3d.plan.places import nbytes, result_roots
from nb3d.plan.schedule import Schedule


class _Bound:
    """A plan bound to an arena of the GPU."""

    def __init__(self, plan: Schedule, packed: Sequence[tuple[Array | None, ...]], runtime: Runtime) -> None:
        graph = plan.graph
        places, layout = plan.places, plan.layout
        arena = runtime.allocate((max(plan.arena_bytes, 1),), "uint8")
        memory = {root: arena.part(at, (nbytes(graph, root),), "uint8") for root, at in layout.offsets.items()}
        for root in sorted({*graph.inputs, *result_roots(graph, places)} - {*layout.offsets}):
            memory[root] = runtime.allocate((nbytes(graph, root),), "uint8")
        self.views = {
            value: memory[places[value].root].part(0, graph.shape(value), spec.dtype)
            for value, spec in graph.specs.items()
            if places[value].root in memory
        }
        scratch = arena.part(layout.size, (plan.scratch,), "uint8")
        self.steps: list[tuple[int, list[Launch]]] = []  # number of the step, and what it launches
        for number, (item, constants) in enumerate(zip(plan.steps, packed, strict=True)):
            if item.step.output in plan.views:
                continue
            inputs = [
                self.views[value] if known is None and value is not None else known
                for value, known in zip(item.step.inputs, constants, strict=True)
            ]
            launches: list[Launch] = []
            with recording(launches.append):
                item.choice.implementation.load(item.case)(
                    *inputs, self.views[item.step.output], scratch, *item.case.params
                )
            self.steps.append((number, launches))
        self.run = runtime.bind([launch for _, launches in self.steps for launch in launches])


class GpuExecutor:
    """Runs a schedule on a GPU; several threads take turns.

    Args:
        plan: The schedule.
        runtime: The GPU.
        checking: Whether to stop at the first value that is not finite.
    """

    def __init__(self, plan: Schedule, runtime: Runtime, checking: bool = False) -> None:
        self._runtime = runtime
        self._packed = [
            tuple(None if array is None else runtime.upload(array) for array in constants_of(item, plan.graph))
            for item in plan.steps
        ]
        self._validating, self._checking = watch.validating(), checking
        self.plan = plan if self._validating or checking else without_weights(plan)
        self._bound: _Bound | None = None

    @contextmanager
    def bound(self) -> Iterator[_Bound]:
        """The plan on its arena, while nobody else uses the GPU."""
        with self._runtime.turn:
            if self._bound is None:
                self._bound = _Bound(self.plan, self._packed, self._runtime)
            yield self._bound

    def _value(self, bound: _Bound, value: ValueId) -> np.ndarray:
        view = bound.views.get(value)
        return self.plan.graph.constants[value].copy() if view is None else self._runtime.download(view)

    def _run_watched(self, bound: _Bound) -> None:
        constants = self.plan.graph.constants
        layers = layers_of([self.plan.steps[number] for number, _ in bound.steps])
        for layer, (number, launches) in zip(layers, bound.steps, strict=True):
            item = self.plan.steps[number]
            self._runtime.bind(launches)()
            out = self._value(bound, item.step.output)
            if self._validating:
                absent = np.empty(0, item.case.out_dtype)
                inputs = [absent if value is None else self._value(bound, value) for value in item.step.inputs]
                watch.validate(item, inputs, out)
            if self._checking:
                watch.check_step(layer, item, [constants[v] for v in item.step.operands() if v in constants], out)

    def __call__(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for arrays of the planned sizes; updates are carried out at the end."""
        graph, runtime = self.plan.graph, self._runtime
        with self.bound() as bound:
            for value, array in zip(graph.inputs, inputs, strict=True):
                runtime.write(bound.views[value], array)
            for value, variable in graph.variables.items():
                runtime.write(bound.views[value], variable.value)
            if self._validating or self._checking:
                self._run_watched(bound)
            else:
                bound.run()
            changes: list[tuple[Variable, np.ndarray]] = [(v, self._value(bound, value)) for v, value in graph.updates]
            outputs = [self._value(bound, value) for value in graph.outputs]
        for variable, array in changes:
            variable.assign(array)
        return outputs
