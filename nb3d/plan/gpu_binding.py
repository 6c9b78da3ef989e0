"""A plan bound to memory of a GPU: where its values lie, and its work as calls that can be repeated."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import Launch, recording
from nb3d.kernels.cuda.program import Program
from nb3d.kernels.cuda.runtime import Runtime
from nb3d.plan.executor import constants_of
from nb3d.plan.graph import ValueId
from nb3d.plan.host_steps import HostStep, Operand, sequence
from nb3d.plan.places import is_slice, nbytes, result_roots
from nb3d.plan.schedule import Schedule

Work = Launch | HostStep
Where = Callable[[Array], Array]

ALIGNMENT = 16  # bytes: kernels read four floats at a time
KEPT_RUNS = 8  # bindings to inputs that lie elsewhere


def _part(memory: Array, channel: int, shape: tuple[int, ...], dtype: str) -> Array:
    """A value in the memory of its root, from a channel on."""
    return memory.part(channel * np.dtype(dtype).itemsize, shape, dtype)


class Paper(Runtime):
    """A run time without a GPU: arrays are addresses, and nothing is launched."""

    def __init__(self) -> None:
        self._next = 1 << 20

    def allocate(self, shape: tuple[int, ...], dtype: str | np.dtype) -> Array:
        """An array that is nowhere."""
        array = Array(self._next, shape, np.dtype(dtype))
        self._next += array.nbytes + 256
        return array

    def bind(self, launches: Sequence[Launch], graph: bool = True) -> Callable[[], None]:
        """A call that does nothing."""
        return lambda: None


def programs(plan: Schedule) -> list[Program]:
    """The programs that a run launches, each once, in the order of the steps."""
    paper = Paper()
    packed = [
        tuple(None if array is None else paper.allocate(array.shape, array.dtype) for array in constants)
        for constants in (constants_of(item, plan.graph) for item in plan.steps)
    ]
    work = (piece for _, pieces in Bound(plan, packed, paper).steps for piece in pieces)
    return list(dict.fromkeys(piece.program for piece in work if isinstance(piece, Launch)))


class Bound:
    """A plan on an arena.

    Args:
        plan: The schedule.
        packed: Of every step the operands that are constant, on the GPU, or on the host where the step runs there.
        runtime: The GPU.

    Attributes:
        graph: The plan's graph.
        views: Where every value lies.
        steps: ``(number of a step, what it does)``.
        run: Everything, as one call.
    """

    def __init__(self, plan: Schedule, packed: Sequence[tuple[Operand | None, ...]], runtime: Runtime) -> None:
        self._runtime = runtime
        self.graph = graph = plan.graph
        places, layout = plan.places, plan.layout
        arena = runtime.allocate((max(plan.arena_bytes, 1),), "uint8")
        memory = {root: arena.part(at, (nbytes(graph, root),), "uint8") for root, at in layout.offsets.items()}
        for root in sorted({*graph.inputs, *result_roots(graph, places)} - {*layout.offsets}):
            memory[root] = runtime.allocate((nbytes(graph, root),), "uint8")
        self.views = {
            value: _part(memory[places[value].root], places[value].channel, graph.shape(value), spec.dtype)
            for value, spec in graph.specs.items()
            if places[value].root in memory
        }
        self._slices = {value: places[value] for value in self.views if is_slice(value, graph, places)}
        scratch = arena.part(layout.size, (plan.scratch,), "uint8")
        self.steps: list[tuple[int, list[Work]]] = []
        for number, (item, constants) in enumerate(zip(plan.steps, packed, strict=True)):
            if item.step.output in plan.views:
                continue
            inputs = [
                self.views[value] if known is None and value is not None else known
                for value, known in zip(item.step.inputs, constants, strict=True)
            ]
            work: list[Work] = []
            if item.is_on_host(plan.device):
                operands = [operand for operand in inputs if operand is not None]
                work.append(HostStep(item, operands, self.views[item.step.output], runtime))
            else:
                with recording(work.append):
                    item.choice.implementation.load(item.case)(
                        *inputs, self.views[item.step.output], scratch, *item.case.params
                    )
            self.steps.append((number, work))
        self._work = [item for _, work in self.steps for item in work]
        self.run = self.call(self._work)
        self._elsewhere: OrderedDict[tuple[tuple[ValueId, int], ...], tuple[Callable[[], None], Where, bool]] = (
            OrderedDict()
        )

    def values(self, value: ValueId) -> np.ndarray:
        """What a value is at the moment, be it a slice of the channels of another."""
        place = self._slices.get(value)
        if place is None:
            return self._runtime.download(self.views[value])
        whole = self._runtime.download(self.views[place.root])
        return whole[..., place.channel : place.channel + self.graph.shape(value)[-1]].copy()

    def call(self, work: Sequence[Work], graph: bool = True) -> Callable[[], None]:
        """One call for several pieces of work; launches that follow each other become one graph."""
        runs: list[Callable[[], None]] = []
        launches: list[Launch] = []

        def bind() -> None:
            if launches:
                runs.append(self._runtime.bind(list(launches), graph))
                launches.clear()

        for item in work:
            if isinstance(item, Launch):
                launches.append(item)
            else:
                bind()
                runs.append(item)
        bind()
        return sequence(runs)

    def can_read(self, array: Array) -> bool:
        """Whether kernels can read an input where another library has it."""
        return array.address % ALIGNMENT == 0 and array.size > 0

    def reading(self, inputs: Mapping[ValueId, Array]) -> tuple[Callable[[], None], Where]:
        """The run that reads some inputs elsewhere, and where the plan's arrays lie in it.

        A graph is made for addresses that come a second time: a graph costs more than a few runs without one.
        """
        if not inputs:
            return self.run, lambda array: array
        key = tuple(sorted((value, array.address) for value, array in inputs.items()))
        found = self._elsewhere.pop(key, None)
        if found is None or not found[2]:
            where = self._relocation(inputs)
            run = self.call([item.moved(where) for item in self._work], graph=found is not None)
            found = run, where, found is not None
        self._elsewhere[key] = found
        while len(self._elsewhere) > KEPT_RUNS:
            self._elsewhere.popitem(last=False)
        return found[:2]

    def _relocation(self, inputs: Mapping[ValueId, Array]) -> Where:
        spans = [(self.views[value].address, self.views[value].nbytes, array.address)
                 for value, array in inputs.items()]  # fmt: skip

        def where(array: Array) -> Array:
            for begin, size, to in spans:
                if begin <= array.address < begin + size:
                    # Without its owner, for the run is kept, and the memory is another's.
                    return replace(array, address=to + array.address - begin, owner=None)
            return array

        return where
