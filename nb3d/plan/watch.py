"""Watching a run: ``NB3D_DEBUG=2`` prints what every step took, ``NB3D_VALIDATE=1`` checks it against the reference.

A function that is made to check looks at every step for the first value that is not finite.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nb3d.kernels import table
from nb3d.plan.cost import flops, traffic
from nb3d.plan.not_finite import NotFiniteError
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
    """Runs a step and reports its time."""
    start = time.perf_counter()
    kernel(*arguments)
    report(item, time.perf_counter() - start)


def report(item: ScheduledStep, seconds: float) -> None:
    """Prints a step's time, GFLOP/s and GB/s on standard error."""
    seconds = max(seconds, 1e-9)
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


def check_inputs(names: Sequence[str], inputs: Sequence[np.ndarray]) -> None:
    """Raises `NotFiniteError` if an input of a run is not finite."""
    for name, array in zip(names, inputs, strict=True):
        _check_finite(f"Input {name!r}", array, "no layer has seen it yet")


def check_step(layer: str, item: ScheduledStep, constants: Sequence[np.ndarray], out: np.ndarray) -> None:
    """Raises `NotFiniteError` if what a step wrote is not finite; all steps before it have passed.

    Args:
        layer: The layer that the step belongs to.
        item: The step.
        constants: Its operands that are weights.
        out: What it wrote.
    """
    wrong = any(array.dtype.kind == "f" and not np.isfinite(array).all() for array in constants)
    reason = "a weight of the layer is not finite" if wrong else "what the layer was given is finite"
    _check_finite(f"Layer {layer!r} ({item.case.op})", out, reason)


def _check_finite(where: str, array: np.ndarray, reason: str) -> None:
    if array.dtype.kind != "f":
        return
    bad = ~np.isfinite(array)
    if bad.any():
        index = tuple(int(at) for at in np.unravel_index(int(bad.argmax()), array.shape))
        raise NotFiniteError(where, index, float(array[index]), array.shape, reason)
