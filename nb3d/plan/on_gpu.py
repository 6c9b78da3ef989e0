"""Running a plan on a GPU: one arena there, launches recorded once, then repeated.

Weights are packed and uploaded once. A run copies inputs into the arena, or reads them where another library has them,
repeats the launches, and copies results back: one stream, and the host waits once, for the last result. Batch after
batch, the copies of one run beside the work of the one before.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from nb3d.engine.variable import Variable
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.exchange import DeviceArray
from nb3d.kernels.cuda.runtime import Runtime
from nb3d.plan import watch
from nb3d.plan.executor import constants_of, layers_of, without_weights
from nb3d.plan.gpu_binding import Bound
from nb3d.plan.graph import ValueId
from nb3d.plan.host_steps import Operand
from nb3d.plan.schedule import Schedule

SLOTS = 2  # batches on their way at a time
Outputs = Callable[[], list[np.ndarray]]


class _Slot:
    """Where one of the batches that are on their way has its inputs and its results.

    Attributes:
        sent: Inputs on the host.
        inputs: Inputs on the GPU.
        fetched: Results on the host.
        busy: What takes the results out, if nobody has done so.
    """

    def __init__(self, bound: Bound, runtime: Runtime) -> None:
        graph = bound.graph
        views = [bound.views[value] for value in graph.inputs]
        self.sent = [runtime.pinned(view) for view in views]
        self.inputs = [runtime.allocate(view.shape, view.dtype) for view in views]
        self.fetched = {value: runtime.pinned(bound.views[value]) for value in graph.outputs if value in bound.views}
        self.busy: Outputs | None = None


class GpuExecutor:
    """Runs a schedule on a GPU; several threads take turns.

    Args:
        plan: The schedule.
        runtime: The GPU.
        checking: Whether to stop at the first value that is not finite.
    """

    def __init__(self, plan: Schedule, runtime: Runtime, checking: bool = False) -> None:
        self._runtime = runtime
        self._packed: list[tuple[Operand | None, ...]] = []
        for item in plan.steps:
            constants = constants_of(item, plan.graph)
            self._packed.append(
                constants
                if item.is_on_host(plan.device)
                else tuple(None if array is None else runtime.upload_constant(array) for array in constants)
            )
        self._validating, self._checking = watch.validating(), checking
        self.plan = plan if self._validating or checking else without_weights(plan)
        self._bound: Bound | None = None
        self._slots: deque[_Slot] = deque()

    @contextmanager
    def bound(self) -> Iterator[Bound]:
        """The plan on its arena, while nobody else uses the GPU."""
        with self._runtime.turn:
            if self._bound is None:
                self._bound = Bound(self.plan, self._packed, self._runtime)
            yield self._bound

    def _host(self, view: Array | None, value: ValueId) -> np.ndarray:
        return self.plan.graph.constants[value].copy() if view is None else self._runtime.download(view)

    def _watched(self) -> bool:
        return self._validating or self._checking or watch.timing()

    def _run_watched(self, bound: Bound) -> None:
        constants, driver = self.plan.graph.constants, self._runtime.driver
        layers = layers_of([self.plan.steps[number] for number, _ in bound.steps])
        for layer, (number, work) in zip(layers, bound.steps, strict=True):
            item, run = self.plan.steps[number], bound.call(work, graph=False)
            if not watch.timing():
                run()
            elif item.is_on_host(self.plan.device):
                start = time.perf_counter()
                run()
                watch.report(item, time.perf_counter() - start)
            else:
                watch.report(item, driver.elapsed(run, 1)[0])
            if not (self._validating or self._checking):
                continue
            out = bound.values(item.step.output)
            if self._validating:
                absent = np.empty(0, item.case.out_dtype)
                inputs = [
                    absent if value is None else constants[value] if value in constants else bound.values(value)
                    for value in item.step.inputs
                ]
                watch.validate(item, inputs, out)
            if self._checking:
                watch.check_step(layer, item, [constants[v] for v in item.step.operands() if v in constants], out)

    def _run(self, bound: Bound, inputs: Sequence[Operand]) -> Callable[[Array], Array]:
        """Runs the plan; returns where arrays lie that are those of the plan."""
        graph, runtime = self.plan.graph, self._runtime
        for value, variable in graph.variables.items():
            runtime.write(bound.views[value], variable.value)
        borrowed: dict[ValueId, Array] = {}
        for value, array in zip(graph.inputs, inputs, strict=True):
            own = bound.views[value]
            if not isinstance(array, Array):
                runtime.write(own, array)
            elif bound.can_read(array) and not self._watched():
                borrowed[value] = array
            else:
                runtime.copy(own, array)
        if self._watched():
            self._run_watched(bound)
            return lambda array: array
        run, where = bound.reading(borrowed)
        run()
        return where

    def _outputs(self, bound: Bound, where: Callable[[Array], Array]) -> list[Array | None]:
        """Where the results lie; ``None`` for what is a constant."""
        views = [bound.views.get(value) for value in self.plan.graph.outputs]
        return [None if view is None else where(view) for view in views]

    def __call__(self, inputs: Sequence[Operand]) -> list[np.ndarray]:
        """The outputs for arrays of the planned sizes, wherever they lie; updates are carried out at the end."""
        graph = self.plan.graph
        with self.bound() as bound:
            where = self._run(bound, inputs)
            changes: list[tuple[Variable, np.ndarray]] = [
                (variable, self._host(bound.views.get(value), value)) for variable, value in graph.updates
            ]
            found = zip(self._outputs(bound, where), graph.outputs, strict=True)
            outputs = [self._host(view, value) for view, value in found]
        for variable, array in changes:
            variable.assign(array)
        return outputs

    def on_device(self, inputs: Sequence[Operand]) -> list[DeviceArray]:
        """The outputs, left on the GPU; nobody waits for them."""
        graph, runtime = self.plan.graph, self._runtime
        with self.bound() as bound:
            found = self._outputs(bound, self._run(bound, inputs))
            arrays = [
                runtime.upload(graph.constants[value]) if view is None else runtime.copied(view)
                for view, value in zip(found, graph.outputs, strict=True)
            ]
        return [DeviceArray(array, runtime) for array in arrays]

    def submit(self, inputs: Sequence[Operand]) -> Outputs:
        """Begins a run, and returns what waits for its outputs; up to ``SLOTS`` of them are on their way at a time."""
        graph, runtime = self.plan.graph, self._runtime
        arrays = [array for array in inputs if not isinstance(array, Array)]
        if self._watched() or graph.updates or graph.variables or len(arrays) < len(inputs):
            done = self(inputs)
            return lambda: done
        with self.bound() as bound:
            slot = self._free_slot(bound)
            for array, sent, own in zip(arrays, slot.sent, slot.inputs, strict=True):
                np.copyto(sent, array, casting="unsafe")
                if sent.size:
                    runtime.driver.send(own.address, sent)
            run, where = bound.reading(dict(zip(graph.inputs, slot.inputs, strict=True)))
            run()
            waits = [
                runtime.driver.fetch(where(bound.views[value]).address, array)
                for value, array in slot.fetched.items()
                if array.size
            ]
            slot.busy = self._taking(slot, waits)
            self._slots.append(slot)
            return slot.busy

    def _free_slot(self, bound: Bound) -> _Slot:
        """A new slot, or the one that was used least lately, its last results taken out."""
        if len(self._slots) < SLOTS:
            return _Slot(bound, self._runtime)
        slot = self._slots.popleft()
        if slot.busy is not None:
            slot.busy()
        return slot

    def _taking(self, slot: _Slot, waits: list[Callable[[], None]]) -> Outputs:
        taken: list[list[np.ndarray]] = []

        def take() -> list[np.ndarray]:
            if not taken:
                for wait in waits:
                    wait()
                arrays = (slot.fetched.get(value) for value in self.plan.graph.outputs)
                taken.append([
                    (self.plan.graph.constants[value] if array is None else array).copy()
                    for value, array in zip(self.plan.graph.outputs, arrays, strict=True)
                ])  # fmt: skip
                slot.busy = None
            return taken[0]

        return take
