"""How many samples at a time: as many as the inputs ask for, or enough to share the overhead in little memory."""

from __future__ import annotations

import numpy as np

from nb3d.engine.tensor import KerasTensor
from nb3d.plan.function import Function

LARGEST_BATCH = 32  # Keras' default
WORKING_MEMORY = 256 * 2**20  # bytes that a larger batch may cost beyond a single sample


def batch_length(function: Function, arrays: list[np.ndarray], wanted: int | None) -> int:
    """Samples per batch.

    Raises:
        ValueError: If `wanted` is not a positive integer.
    """
    if wanted is not None:
        if isinstance(wanted, bool) or not isinstance(wanted, int | np.integer) or wanted < 1:
            raise ValueError(f"batch_size must be a positive integer, got {wanted!r}.")
        return int(wanted)
    samples = int(arrays[0].shape[0])
    if samples <= 1:
        return 1
    single = function.working_memory([(1, *array.shape[1:]) for array in arrays])
    return max(1, min(LARGEST_BATCH, samples, WORKING_MEMORY // max(single, 1)))


def fixed_length(inputs: list[KerasTensor]) -> int | None:
    """The batch size that is part of the shape of an input; ``None`` where there is no such."""
    return next((tensor.shape[0] for tensor in inputs if tensor.shape and tensor.shape[0]), None)


def filled_up(function: Function, arrays: list[np.ndarray], length: int | None) -> list[np.ndarray]:
    """The outputs for one batch; one that is shorter than `length` is computed with its last sample repeated.

    Raises:
        ValueError: If an output of such a batch does not say which of its parts belongs to which sample.
    """
    samples = int(arrays[0].shape[0])
    if length is None or samples == length:
        return function(arrays)
    results = function([array[np.minimum(np.arange(length), samples - 1)] for array in arrays])
    for tensor, result in zip(function.outputs, results, strict=True):
        if result.shape[:1] != (length,):
            raise ValueError(
                f"The batch size of the model's inputs is fixed to {length}, and its output {tensor.name!r} of shape "
                f"{result.shape} is not one of single samples: give a multiple of {length} samples."
            )
    return [result[:samples] for result in results]


def slices_of(samples: int, length: int) -> list[slice]:
    """Slices of at most `length` samples that cover all."""
    return [slice(start, min(start + length, samples)) for start in range(0, samples, length)]
