"""How many samples at a time: as many as the inputs ask for, or enough to share the overhead in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nb3d.engine.tensor import KerasTensor
from nb3d.plan.feeds import is_on_host
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


def fixed_length(inputs: list[KerasTensor]) -> int | None:
    """The batch size that is part of the shape of an input; ``None`` where there is no such."""
    return next((tensor.shape[0] for tensor in inputs if tensor.shape and tensor.shape[0]), None)


def slices_of(samples: int, length: int) -> list[slice]:
    """Slices of at most `length` samples that cover all."""
    return [slice(start, min(start + length, samples)) for start in range(0, samples, length)]


def in_batches(function: Function, arrays: list[Any], wanted: int | None) -> Iterator[tuple[slice, list[np.ndarray]]]:
    """Yields the samples of every batch and their outputs, in order.

    Where the memory does not hold a batch, and nobody asked for its size, half as many samples are tried. Where the
    inputs have a batch size in their shape, all batches are of it, the last one filled up.

    Raises:
        ValueError: If a batch must be filled up, and an output does not say which of its parts is which sample's.
        NotFiniteError: If the function checks and a value is not finite; it counts voxels from the first sample on.
        MemoryError: If there is no room for a batch of the size that was wanted, or for a single sample.
    """
    samples, begin = int(arrays[0].shape[0]), 0
    fixed = fixed_length(function.inputs)
    length = batch_length(function, arrays, wanted) if fixed is None else fixed
    while begin < samples:
        parts = [slice(begin + part.start, begin + part.stop) for part in slices_of(samples - begin, length)]
        batches = ([_filled_up(array[part], fixed) for array in arrays] for part in parts)
        results = map(function, batches) if len(parts) == 1 else function.one_by_one(batches)
        try:
            for part, outputs in zip(parts, results, strict=True):
                yield part, _of_samples(function, outputs, part.stop - part.start, fixed)
                begin = part.stop
        except NotFiniteError as error:
            raise error.later(begin) from None
        except MemoryError:
            if wanted is not None or fixed is not None or length == 1:
                raise
            length //= 2


def _filled_up(array: Any, length: int | None) -> Any:
    """An array of so many samples, the last one repeated where there are fewer."""
    samples = int(array.shape[0])
    if length is None or samples == length:
        return array
    if not is_on_host(array):
        raise ValueError(f"The batch size of the model's inputs is {length}: on the GPU, give a multiple of it.")
    return array[np.minimum(np.arange(length), samples - 1)]


def _of_samples(function: Function, outputs: list[np.ndarray], samples: int, length: int | None) -> list[np.ndarray]:
    """The outputs of the first samples of a batch that was filled up."""
    if length is None or samples == length:
        return outputs
    for tensor, output in zip(function.outputs, outputs, strict=True):
        if output.shape[:1] != (length,):
            raise ValueError(
                f"The batch size of the model's inputs is fixed to {length}, and its output {tensor.name!r} of shape "
                f"{output.shape} is not one of single samples: give a multiple of {length} samples."
            )
    return [output[:samples] for output in outputs]
