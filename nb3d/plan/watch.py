"""Watching a run: ``NB3D_DEBUG=2`` prints what every step took, ``NB3D_VALIDATE=1`` checks it against the reference."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nb3d.kernels import table
from nb3d.plan.cost import flops, traffic
from nb3d.plan.schedule import ScheduledStep

# Of the largest value: sums in another order, as long as networks have them.
TOLERANCES = {"float32": 1e-4, "float64": 1e-10}


def timing() -> bool:
    """Whether steps are to be timed."""
    return os.environ.get("NB3D_DEBUG") == "2"


def validating() -> bool:
    """Whether steps are to be checked."""
    return os.environ.get("NB3D_VALIDATE", "0") not in ("", "0")


def timed(item: ScheduledStep, kernel: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Runs a step and prints its time, GFLOP/s and GB/s on standard error."""
    start = time.perf_counter()
    kernel(*arguments)
    seconds = max(time.perf_counter() - start, 1e-9)
    sys.stderr.write(
        f"nb3d: {item.step.label or '-':24} {item.case.op:20} {item.choice.implementation.name:10} "
        f"{'x'.join(map(str, item.case.out)):20} {1e3 * seconds:10.3f} ms "
        f"{flops(item.case) / seconds / 1e9:8.1f} GFLOP/s {traffic(item.case) / seconds / 1e9:7.1f} GB/s\n"
    )


def validate(item: ScheduledStep, inputs: list[np.ndarray], out: np.ndarray) -> None:
    """Compares what a step wrote with what the reference writes for the same inputs.

    Raises:
        RuntimeError: If they differ by more than the order of sums explains.
    """
    if item.step.op.stateful:
        return
    implementation = table.implementations(item.case.op)[-1]
    want = np.empty_like(out)
    implementation.load(item.case)(*inputs, want, np.empty(0, np.uint8), *item.case.params)
    finite = np.isfinite(want)
    same = np.array_equal(finite, np.isfinite(out))
    error = np.abs(np.where(finite, out, 0).astype("float64") - np.where(finite, want, 0)).max(initial=0.0)
    largest = np.abs(np.where(finite, want, 0)).max(initial=0)
    if not same or error > TOLERANCES.get(out.dtype.name, 0.0) * largest:
        raise RuntimeError(
            f"Step {item.step.label!r} ({item.case.op}, {item.choice.implementation.name}): the result differs from "
            f"the reference by {error:.2e}, where the largest value is {largest:.2e}. Case: {item.case}"
        )
