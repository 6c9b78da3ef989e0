"""How many samples at a time: enough to share the overhead, few enough to keep the memory small."""

from __future__ import annotations

import numpy as np

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


def slices_of(samples: int, length: int) -> list[slice]:
    """Slices of at most `length` samples that cover all."""
    return [slice(start, min(start + length, samples)) for start in range(0, samples, length)]
