"""How many samples at a time: enough to share the overhead, few enough to keep the memory small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nb3d.plan.function import Function
from nb3d.plan.not_finite import NotFiniteError

LARGEST_BATCH = 32  # Keras' default
WORKING_MEMORY = 256 * 2**20  # bytes that a larger batch may cost beyond a single sample


def batch_length(function: Function, arrays: list[Any], wanted: int | None) -> int:
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


def slices_of(samples: int, length: int) -> list[slice]:
    """Slices of at most `length` samples that cover all."""
    return [slice(start, min(start + length, samples)) for start in range(0, samples, length)]


def in_batches(function: Function, arrays: list[Any], wanted: int | None) -> Iterator[tuple[slice, list[np.ndarray]]]:
    """Yields the samples of every batch and their outputs, in order.

    Where the memory does not hold a batch, and nobody asked for its size, half as many samples are tried.

    Raises:
        NotFiniteError: If the function checks and a value is not finite; it counts voxels from the first sample on.
        MemoryError: If there is no room for a batch of the size that was wanted, or for a single sample.
    """
    samples, begin = int(arrays[0].shape[0]), 0
    length = batch_length(function, arrays, wanted)
    while begin < samples:
        parts = [slice(begin + part.start, begin + part.stop) for part in slices_of(samples - begin, length)]
        batches = ([array[part] for array in arrays] for part in parts)
        results = map(function, batches) if len(parts) == 1 else function.one_by_one(batches)
        try:
            for part, outputs in zip(parts, results, strict=True):
                yield part, outputs
                begin = part.stop
        except NotFiniteError as error:
            raise error.later(begin) from None
        except MemoryError:
            if wanted is not None or length == 1:
                raise
            length //= 2
