"""What the table is asked, and what it answers: the case of one call, and an implementation of its operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Arrays = tuple[np.ndarray, ...]
Kernel = Callable[..., None]

OUT = -1  # the position of the output among the operands


@dataclass(frozen=True)
class Case:
    """One call of an operation as kernels see it: resolved sizes and numbers, nothing symbolic.

    Attributes:
        op: Name of the operation.
        inputs: Shape of every input; an absent operand has shape ``(0,)``.
        dtypes: Name of the dtype of every input.
        out: Shape of the output.
        out_dtype: Name of the output's dtype.
        params: The kernel's parameters, in its order.
        constant: For every input, whether its values are known before the run (weights): such inputs may be packed
            once by ``prepare``.
        pitches: For every input, then for the output, how many values one voxel lies behind the next; more than its
            channels where it is a slice of the channels of a larger array. Empty where all arrays are contiguous.
    """

    op: str
    inputs: tuple[Shape, ...]
    dtypes: tuple[str, ...]
    out: Shape
    out_dtype: str
    params: tuple[Any, ...] = ()
    constant: tuple[bool, ...] = ()
    pitches: tuple[int, ...] = ()

    def pitch(self, position: int) -> int:
        """Returns the values from one voxel of an input, or with -1 of the output, to the next."""
        return self.pitches[position] if self.pitches else self._channels(position)

    def slices(self) -> set[int]:
        """Returns the positions of the operands that are slices, -1 for the output."""
        positions = (*range(len(self.inputs)), OUT) if self.pitches else ()
        return {p for p in positions if self.pitch(p) != self._channels(p)}

    def _channels(self, position: int) -> int:
        shape = self.out if position == OUT else self.inputs[position]
        return shape[-1] if shape else 1


def leave_as_is(case: Case, inputs: Arrays) -> Arrays:
    """The ``prepare`` of kernels that take their inputs as they stand."""
    return inputs


def no_scratch(case: Case, threads: int) -> int:
    """The ``scratch`` of kernels that need none."""
    return 0


def none(case: Case) -> tuple[int, ...]:
    """The ``slices`` and ``overwrites`` of kernels that want every operand by itself."""
    return ()


def never(case: Case) -> str | None:
    """The ``declines`` of kernels that are the best choice wherever they can compute a case."""
    return None


@dataclass(frozen=True)
class Implementation:
    """One way to compute an operation on one device.

    Attributes:
        op: Name of the operation.
        name: Short name, unique per operation and device: ``direct``, ``reference``.
        device: ``cpu`` or ``cuda``.
        accepts: ``None`` if it can compute the case, else the reason why not, as a phrase.
        load: The kernel for a case (compiled lazily, on its first call).
        prepare: Packs constant inputs once; returns as many inputs as it got, which then go to the kernel.
        scratch: Bytes of scratch for a case and a number of threads.
        declines: ``None``, or the reason why another one should compute a case that this one can: asked only where none
            is forced.
        slices: Positions of the operands, -1 for the output, that may be slices of the channels of larger arrays.
        overwrites: Positions of the inputs of the output's shape whose memory may be the output's.
    """

    op: str
    name: str
    device: str
    accepts: Callable[[Case], str | None]
    load: Callable[[Case], Kernel]
    prepare: Callable[[Case, Arrays], Arrays] = leave_as_is
    scratch: Callable[[Case, int], int] = no_scratch
    declines: Callable[[Case], str | None] = never
    slices: Callable[[Case], tuple[int, ...]] = none
    overwrites: Callable[[Case], tuple[int, ...]] = none
