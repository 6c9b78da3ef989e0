"""`Function`: symbolic outputs as a callable on arrays, planned once per shape."""

from __future__ import annotations

import os
import threading
import warnings
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nb3d.engine.structure import to_list
from nb3d.engine.tensor import Dims, KerasTensor, TensorSpec
from nb3d.engine.variable import Variable
from nb3d.kernels import devices, policy
from nb3d.plan.feeds import Feed, check_feeds, check_shape

if TYPE_CHECKING:  # a graph is built, looked at and saved without a plan
    from nb3d.kernels.cuda.exchange import DeviceArray
    from nb3d.plan.executor import Executor
    from nb3d.plan.on_gpu import GpuExecutor
    from nb3d.plan.schedule import Schedule

Result = TypeVar("Result")

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
            arrays: One array per input, in order. With ``device='cuda'`` they may lie on the GPU.

        Raises:
            ValueError: If their number or shapes do not fit.
            TypeError: If one is symbolic.
            FloatingPointError: With `check_finite`, if a value is not finite.
            MemoryError: If the GPU has not enough memory.
        """
        checked = self.check(arrays)
        if self.check_finite:
            from nb3d.plan import watch

            on_host = [value if isinstance(value, np.ndarray) else devices.gpu().download(value) for value in checked]
            watch.check_inputs([tensor.name for tensor in self.inputs], on_host)
        return self._with_room(checked, lambda executor: executor(checked))

    def _with_room(self, arrays: Sequence[Feed], act: Callable[[Any], Result]) -> Result:
        """What somebody does with the plan for some arrays; where the memory ends, once more without the others."""
        shapes = [array.shape for array in arrays]
        try:
            return act(self.executor(shapes))
        except MemoryError:
            if not self._forget(shapes):
                raise
        try:
            return act(self.executor(shapes))
        except MemoryError:
            self._forget(shapes)
            raise

    def _forget(self, shapes: Sequence[Dims]) -> bool:
        """Drops all plans, and with them their memory; returns whether there were any but that for these shapes."""
        with self._lock:
            others = self._plans.keys() - {self._key(shapes)}
            self._plans.clear()
        return bool(others)

    def one_by_one(self, batches: Iterable[Sequence[Any]]) -> Iterator[list[np.ndarray]]:
        """The outputs for one batch after another; on a GPU the copies of one run beside the work of the other."""
        waiting: deque[Callable[[], list[np.ndarray]]] = deque()
        for arrays in batches:
            checked = self.check(arrays)
            if self.check_finite or devices.resolve(self.device).name == "cpu":
                yield self(checked)
                continue
            waiting.append(self._with_room(checked, partial(_submit, checked)))
            if len(waiting) > 1:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()

    def on_device(self, arrays: Sequence[Any], stream: Any = None) -> list[DeviceArray]:
        """The values of the outputs, left on the GPU; arguments and errors as for a call.

        Args:
            arrays: One array per input, in order, on the host or on the GPU.
            stream: A CUDA stream of any library: the inputs are read when what it has been given is done, and what it
                is given afterwards sees the results. Without one, the call returns when the results are there.
        """
        from nb3d.kernels.cuda.exchange import stream_handle

        if devices.resolve(self.device).name != "cuda":
            raise RuntimeError(f"Results stay on a GPU with device='cuda'; the device is {self.device!r}.")
        runtime, handle = devices.gpu(), None if stream is None else stream_handle(stream)
        with runtime.turn:
            if handle is not None:
                runtime.driver.wait_for(handle)
            checked = self.check(arrays)
            results: list[DeviceArray] = self._with_room(checked, lambda executor: executor.on_device(checked))
            if handle is not None:
                runtime.driver.let_wait(handle)
            else:
                runtime.driver.finish()
        return results

    def check(self, arrays: Any, any_batch: bool = False) -> list[Feed]:
        """The arrays, once they are found to fit the inputs, but for their batch size with `any_batch`.

        Those of a GPU come back as the run time sees them.
        """
        return check_feeds(self.inputs, arrays, self.device, any_batch)

    def plan(self, shapes: Sequence[Dims]) -> Plan:
        """The plan for inputs of these shapes, made without running or packing anything; it needs no GPU."""
        return Plan(self._schedule(shapes))

    def working_memory(self, shapes: Sequence[Dims]) -> int:
        """Bytes of the arena, the inputs and the results for inputs of these shapes."""
        key = tuple(map(tuple, shapes))
        if key not in self._working_memory:
            plan = self._schedule(shapes)
            self._working_memory[key] = plan.arena_bytes + plan.outside_bytes
        return self._working_memory[key]

    def _schedule(self, shapes: Sequence[Dims]) -> Schedule:
        from nb3d.plan import watch
        from nb3d.plan.capture import capture
        from nb3d.plan.passes import run_passes
        from nb3d.plan.schedule import schedule

        for tensor, shape in zip(self.inputs, shapes, strict=True):
            check_shape(tensor, tuple(shape))
        specs = [TensorSpec(tuple(shape), t.dtype) for shape, t in zip(shapes, self.inputs, strict=True)]
        graph = capture(self.inputs, specs, self.outputs, self.updates)
        graph = graph if self.check_finite else run_passes(graph)
        device, threads = devices.named(self.device).name, os.cpu_count() or 1
        overwrite = not watch.validating()  # what is checked against the reference must still have its operands
        plan = schedule(graph, device, threads, overwrite)
        if plan.host_steps:
            from nb3d.plan.host_steps import told

            warnings.warn(f"device={device!r}: {told(plan)}.", RuntimeWarning, stacklevel=2)
        return plan

    def _key(self, shapes: Sequence[Dims]) -> tuple[Any, ...]:
        """What a plan depends on."""
        from nb3d.plan import watch

        device, forced = devices.resolve(self.device).name, os.environ.get("NB3D_IMPL", "")
        return tuple(map(tuple, shapes)), forced, watch.validating(), policy.current(), device

    def executor(self, shapes: Sequence[Dims]) -> Executor | GpuExecutor:
        """The runnable plan for these shapes, from the cache where weights and settings are still the same."""
        key = self._key(shapes)
        with self._lock:
            found = self._plans.pop(key, None)
            if found is None or _stale(found.plan):
                found = _executor(self._schedule(shapes), self.check_finite)
            self._plans[key] = found
            while len(self._plans) > KEPT_PLANS:
                self._plans.popitem(last=False)
            return found


def _submit(arrays: Sequence[Feed], executor: GpuExecutor) -> Callable[[], list[np.ndarray]]:
    return executor.submit(arrays)


def _executor(plan: Schedule, checking: bool) -> Executor | GpuExecutor:
    if plan.device == "cpu":
        from nb3d.plan.executor import Executor

        return Executor(plan, checking)
    from nb3d.plan.on_gpu import GpuExecutor

    return GpuExecutor(plan, devices.gpu(), checking)


def _stale(plan: Schedule) -> bool:
    return any(variable.version != version for variable, version in plan.graph.sources)


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
