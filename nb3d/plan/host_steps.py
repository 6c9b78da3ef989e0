"""Steps of a plan for a GPU that no kernel there computes: their operands come to the host, their result goes back."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from copy import copy

import numpy as np

from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.runtime import Runtime
from nb3d.plan.schedule import Schedule, ScheduledStep

Operand = Array | np.ndarray


class HostStep:
    """One such step, ready to be repeated.

    Args:
        item: The step, with a kernel of the CPU.
        inputs: Where its operands lie: constants, packed, are on the host.
        out: Where its result goes.
        runtime: The GPU.
    """

    def __init__(self, item: ScheduledStep, inputs: Sequence[Operand], out: Array, runtime: Runtime) -> None:
        implementation, case = item.choice.implementation, item.case
        self._inputs, self._out, self._runtime = inputs, out, runtime
        self._kernel, self._params = implementation.load(case), case.params
        self._result = np.empty(case.out, case.out_dtype)
        self._scratch = np.empty(implementation.scratch(case, os.cpu_count() or 1), np.uint8)

    def moved(self, where: Callable[[Array], Array]) -> HostStep:
        """Returns the same step on arrays that lie elsewhere."""
        step = copy(self)
        step._inputs = [where(value) if isinstance(value, Array) else value for value in self._inputs]
        return step

    def __call__(self) -> None:
        """Waits for all that was launched, computes, and copies the result to the GPU."""
        arrays = [self._runtime.download(value) if isinstance(value, Array) else value for value in self._inputs]
        self._kernel(*arrays, self._result, self._scratch, *self._params)
        self._runtime.write(self._out, self._result)


def sequence(runs: Sequence[Callable[[], None]]) -> Callable[[], None]:
    """Returns one call for several."""
    if len(runs) == 1:
        return runs[0]

    def run() -> None:
        for call in runs:
            call()

    return run


def told(plan: Schedule) -> str:
    """Returns which steps those are and why, as a sentence; empty where there are none."""
    reasons = {(item.step.label or "-", item.choice.refusals[0][1]) for item in plan.host_steps}
    shown = "; ".join(f"layer {label!r}: {reason}" for label, reason in sorted(reasons)[:3])
    more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return f"{len(plan.host_steps)} steps run on the host, between copies ({shown}{more})" if reasons else ""
