"""Launching kernels that compute sums, whole or in parts.

Each part of a divided sum (see ``splits.py``) goes to scratch, without bias, residual and activation, and
``device/combine.py`` adds the parts in an order that never changes: a run gives the same bits every time.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import OUT, Case
from nb3d.kernels.cuda.arrays import Array, absent
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.cuda.splits import Split
from nb3d.kernels.cuda.strides import flat

THREADS = 128
ARGUMENTS = (*("float32[]",) * 4, *("int32",) * 2, "int64", *("int32",) * 3, *("float32",) * 2)


class LaunchSums(Protocol):
    """Launches what computes sums."""

    def __call__(self, code: int, bias: Array, residuals: Array, out: Array, pitch: int, fours: bool) -> None:
        """With an activation's number, a padded bias, residuals or none; where and how results are written."""


def padded_bias(bias: np.ndarray, groups: int, made: int, padded: int) -> np.ndarray:
    """Returns the bias by groups, padded to whole tiles, and behind it the zeros for parts: ``(2, groups, padded)``."""
    biases = np.zeros((2, groups, padded), np.float32)
    if bias.size:
        biases[0, :, :made] = bias.reshape(groups, made)
    return biases


def slices(case: Case) -> tuple[int, ...]:
    """The output may be a slice, unless a residual that lies otherwise is added."""
    return (OUT,) if case.op != "conv3d" or case.inputs[3] == (0,) else ()


def partial_bytes(split: Split, case: Case) -> int:
    """Returns the scratch that the parts of a case's sums take."""
    return split.parts * math.prod(case.out) * 4 if split.parts > 1 else 0


def writes_fours(filters: int, pitch: int, out: Array) -> bool:
    """Whether four filters of a voxel can be written at once, wherever the result is a slice of."""
    return filters % 4 == 0 and pitch % 4 == 0 and out.address % 16 == 0


def combine_program(code: int) -> Program:
    """Returns the program that adds parts, and finishes the sums with an activation."""
    return program("combine", ARGUMENTS, THREADS, code=code)


def launch_sums(
    case: Case, split: Split, made: int, launch_parts: LaunchSums, biases: Array, residuals: Array, out: Array,
    scratch: Array,
) -> None:  # fmt: skip
    """Launches the sums of a case, or their parts and the addition of those.

    Args:
        case: A convolution or a dense layer; its last parameters are those of the activation.
        split: How the sums are divided.
        made: Filters of a group.
        launch_parts: Launches the kernel, on a grid with all parts.
        biases: What ``padded_bias`` has made.
        residuals: What is added before the activation, if anything.
        out: The result.
        scratch: At least ``partial_bytes``.
    """
    code, alpha, beta = case.params[-3:]
    bias, zeros = (flat(biases[row : row + 1]) for row in range(2))
    filters, pitch = case.out[-1], case.pitch(OUT)
    if split.parts == 1:
        launch_parts(int(code), bias, residuals, out, pitch, writes_fours(made, pitch, out))
        return
    voxels = math.prod(case.out[:-1])
    whole = voxels * filters
    partial = scratch.part(0, (split.parts * whole,), "float32")
    fours = writes_fours(made, filters, partial)
    launch_parts(int(Activation.LINEAR), zeros, absent("float32"), partial, filters, fours)
    grid = (-(-voxels * -(-filters // 4) // THREADS),)
    launch(
        combine_program(int(code)), grid, partial, bias, residuals, out, voxels, split.parts, whole, filters, pitch,
        writes_fours(filters, pitch, out), alpha, beta,
    )  # fmt: skip
