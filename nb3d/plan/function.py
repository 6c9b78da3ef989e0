"""`Function`: symbolic outputs as a callable on arrays, planned once per shape."""

from __future__ import annotations

import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nb3d.engine.node import symbolic_leaves
from nb3d.engine.structure import to_list
from nb3d.engine.tensor import Dims, KerasTensor, TensorSpec
from nb3d.engine.variable import Variable
from nb3d.kernels import policy
from nb3d.kernels.devices import gpu, resolve

if TYPE_CHECKING:  # a graph is built, looked at and saved without a plan
    from nb3d.plan.executor import Executor
    from nb3d.plan.on_gpu import GpuExecutor
    from nb3d.plan.schedule import Schedule

KEPT_PLANS = 8  # per function; each holds packed weights and an arena


class Plan:
    """What a function does for inputs of given shapes: its steps and their kernels; printing it shows them.

    Attributes:
        schedule: Steps, kernels and memory.
        flops: Floating-point operations of a run.
        arena_bytes: Memory of a run besides weights, inputs and results.
    """

    def __init__(self, plan: Schedule) -> None:
        self.schedule = plan
        self.arena_bytes = plan.arena_bytes

    @property
    def flops(self) -> int:
        """Floating-point operations of a run."""
        from nb3d.plan.cost import flops

        return sum(flops(item.case) for item in self.schedule.steps)

    @property
    def peak_bytes(self) -> int:
        """Memory of weights and arena together."""
        return self.schedule.constant_bytes + self.arena_bytes

    def compile(self) -> None:
        """Compiles what a run calls, or finds it on disk; runs nothing and allocates nothing."""
        for item in self.schedule.steps:
            if item.step.output not in self.schedule.views:
                item.choice.implementation.load(item.case)
        if any(item.choice.implementation.device == "cpu" for item in self.schedule.steps):
            from nb3d.kernels.cpu.launch import compile_loops

            compile_loops()

    def __str__(self) -> str:
        from nb3d.plan.explain import explain

        return explain(self.schedule)


class Function:
    """Evaluates symbolic tensors.

    Args:
        inputs: Symbolic tensors to feed: those of `nb3d.Input`, or any other of the graph.
        outputs: What to compute: symbolic tensors or Variables; losses and intermediate outputs included.
        updates: Updates to carry out after each run (see `nb3d.ops.assign`).
        device: ``'auto'``, ``'cpu'`` or ``'cuda'``.
        check_finite: Whether a run stops at the first value that is NaN or infinite and says where it came up. Steps
            are not fused then, so that each belongs to one layer.

    Raises:
        TypeError: If an input or output is not symbolic.
        ValueError: If an output depends on an input that is not given.
    """

    def __init__(
        self, inputs: Any, outputs: Any, updates: Any = None, device: str = "auto", check_finite: bool = False
    ) -> None:
        self.inputs = to_list(inputs)
        self.outputs = to_list(outputs)
        self.updates = [] if updates is None else to_list(updates)
        self.device = device
        self.check_finite = check_finite
        self._plans: OrderedDict[Any, Executor | GpuExecutor] = OrderedDict()
        self._working_memory: dict[Any, int] = {}
        self._lock = threading.RLock()
        for tensor in self.inputs:
            if not isinstance(tensor, KerasTensor):
                raise TypeError(f"The inputs of a function must be symbolic tensors, got {tensor!r}.")
        for tensor in [*self.outputs, *self.updates]:
            if not isinstance(tensor, KerasTensor | Variable):
                raise TypeError(f"The outputs of a function must be symbolic tensors or Variables, got {tensor!r}.")

    def __call__(self, arrays: Sequence[Any]) -> list[np.ndarray]:
        """The values of the outputs.

        Args:
            arrays: One array per input, in order.

        Raises:
            ValueError: If their number or shapes do not fit.
            TypeError: If one is symbolic.
            FloatingPointError: With `check_finite`, if a value is not finite.
        """
        checked = self.check(arrays)
        if self.check_finite:
            from nb3d.plan import watch

            watch.check_inputs([tensor.name for tensor in self.inputs], checked)
        return self.executor([array.shape for array in checked])(checked)

    def check(self, arrays: Any, any_batch: bool = False) -> list[np.ndarray]:
        """The arrays, once they are found to fit the inputs, whose batch size they need not have with `any_batch`."""
        if isinstance(arrays, np.ndarray) or not isinstance(arrays, Sequence):
            raise TypeError(f"Expected a list of {len(self.inputs)} arrays, got {type(arrays).__name__}.")
        if len(arrays) != len(self.inputs):
            raise ValueError(f"Expected {len(self.inputs)} arrays, got {len(arrays)}.")
        if symbolic_leaves(arrays):
            raise TypeError(f"Expected arrays, got the symbolic tensor {symbolic_leaves(arrays)[0]!r}.")
        result = []
        for tensor, value in zip(self.inputs, arrays, strict=True):
            array = np.asarray(value)
            if array.dtype.kind not in "fiub":
                raise ValueError(f"Input {tensor.name!r}: expected numbers, got an array of dtype {array.dtype}.")
            _check_shape(tensor, array.shape, any_batch)
            result.append(array)
        return result

    def plan(self, shapes: Sequence[Dims]) -> Plan:
        """The plan for inputs of these shapes, made without running or packing anything."""
        return Plan(self._schedule(shapes))

    def working_memory(self, shapes: Sequence[Dims]) -> int:
        """Bytes of the arena, the inputs and the results for inputs of these shapes."""
        key = tuple(map(tuple, shapes))
        if key not in self._working_memory:
            plan = self._schedule(shapes)
            self._working_memory[key] = plan.arena_bytes + plan.outside_bytes
        return self._working_memory[key]

    def _schedule(self, shapes: Sequence[Dims]) -> Schedule:
        from nb3d.kernels.table import UnknownOperation
        from nb3d.plan import watch
        from nb3d.plan.capture import capture
        from nb3d.plan.passes import run_passes
        from nb3d.plan.schedule import schedule

        for tensor, shape in zip(self.inputs, shapes, strict=True):
            _check_shape(tensor, tuple(shape))
        specs = [TensorSpec(tuple(shape), t.dtype) for shape, t in zip(shapes, self.inputs, strict=True)]
        graph = capture(self.inputs, specs, self.outputs, self.updates)
        graph = graph if self.check_finite else run_passes(graph)
        device, threads = resolve(self.device).name, os.cpu_count() or 1
        overwrite = not watch.validating()  # what is checked against the reference must still have its operands
        try:
            return schedule(graph, device, threads, overwrite)
        except (UnknownOperation, ValueError) as error:
            if self.device != "auto" or device == "cpu":
                raise
            warnings.warn(f"nb3d runs this network on the CPU: {error}", RuntimeWarning, stacklevel=2)
            return schedule(graph, "cpu", threads, overwrite)

    def executor(self, shapes: Sequence[Dims]) -> Executor | GpuExecutor:
        """The runnable plan for these shapes, from the cache where weights and settings are still the same."""
        from nb3d.plan import watch

        settings = os.environ.get("NB3D_IMPL", ""), watch.validating(), policy.current(), resolve(self.device).name
        key = (tuple(map(tuple, shapes)), *settings)
        with self._lock:
            found = self._plans.pop(key, None)
            if found is None or _stale(found.plan):
                found = _executor(self._schedule(shapes), self.check_finite)
            self._plans[key] = found
            while len(self._plans) > KEPT_PLANS:
                self._plans.popitem(last=False)
            return found


def _executor(plan: Schedule, checking: bool) -> Executor | GpuExecutor:
    if plan.device == "cpu":
        from nb3d.plan.executor import Executor

        return Executor(plan, checking)
    from nb3d.plan.on_gpu import GpuExecutor

    return GpuExecutor(plan, gpu(), checking)


def _stale(plan: Schedule) -> bool:
    return any(variable.version != version for variable, version in plan.graph.sources)


def _check_shape(tensor: KerasTensor, shape: Dims, any_batch: bool = False) -> None:
    wanted = (None, *tensor.shape[1:]) if any_batch and tensor.shape else tensor.shape
    fits = len(shape) == len(wanted) and all(w in (None, s) for w, s in zip(wanted, shape, strict=True))
    if not fits:
        raise ValueError(f"Input {tensor.name!r}: expected an array of shape {wanted}, got {shape}.")
    if any(size is None for size in shape):
        raise ValueError(f"Input {tensor.name!r}: a plan needs all sizes, got {shape}.")


def function(inputs: Any, outputs: Any, updates: Any = None, device: str = "auto") -> Function:
    """A callable that takes a list of arrays and returns a list of arrays.

    Args:
        inputs: Symbolic tensors to feed.
        outputs: What to compute: symbolic tensors or Variables; losses and intermediate outputs included.
        updates: Updates to carry out after each run, as `layer.get_updates_for(x)` returns them.
        device: ``'auto'``, ``'cpu'`` or ``'cuda'``.

    Example:
        >>> import nb3d, numpy as np
        >>> x = nb3d.Input((2,))
        >>> f = nb3d.function([x], [x + 1, nb3d.ops.sum(x)])
        >>> [y.tolist() for y in f([np.ones((1, 2))])]
        [[[2.0, 2.0]], 2.0]
    """
    return Function(inputs, outputs, updates, device)
