"""From places in a file to the weights of a model: everything is checked, then read, then checked, then assigned."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from nb3d.models.files import Nonfinite
from nb3d.saving.container import Stored, Weights
from nb3d.saving.errors import ModelFileError
from nb3d.saving.layout import Slot

_POLICIES = ("error", "warn", "allow")
_PART = 2**16  # values


def bytes_of(slots: Sequence[Slot]) -> int:
    """Memory of all weights."""
    return sum(slot.variable.nbytes for slot in slots)


def check_budget(slots: Sequence[Slot], max_bytes: int) -> int:
    """Compares what the configuration asks for with what the caller allows, before any of it exists.

    Returns:
        The memory of all weights, in bytes.

    Raises:
        ModelFileError: If it is more; the message names the largest weight.
    """
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 0:
        raise TypeError(f"max_bytes must be a number of bytes, got {max_bytes!r}.")
    total = bytes_of(slots)
    if total > max_bytes:
        largest = max(slots, key=lambda slot: slot.variable.nbytes)
        raise ModelFileError(
            f"the weights take too much memory, that of shape {largest.variable.shape} most; max_bytes= allows more",
            layer=largest.layer,
            key=largest.path,
            expected=f"at most {max_bytes} bytes in all",
            got=total,
        )
    return total


def check_policy(nonfinite: str) -> None:
    """Raises `ValueError` unless `nonfinite` is one of the three policies."""
    if nonfinite not in _POLICIES:
        raise ValueError(f"nonfinite must be one of {_POLICIES}, got {nonfinite!r}.")


def check_stored(weights: Weights, slots: Sequence[Slot]) -> list[Stored]:
    """What the file has for the weights, each of the shape and dtype that the model has; nothing is read yet.

    Raises:
        ModelFileError: If one is not so; the message names layer and place, what was expected and what is there.
    """
    stored = [weights.stored(slot.path) for slot in slots]
    for slot, item in zip(slots, stored, strict=True):
        problem = misfit(slot, item)
        if problem is not None:
            raise problem
    return stored


def misfit(slot: Slot, item: Stored) -> ModelFileError | None:
    """How what a file has for a weight differs from it in shape or dtype; ``None`` if it does not."""
    if item.shape != slot.stored_shape:
        problem, expected, got = "the weight has another shape", str(slot.stored_shape), str(item.shape)
    elif item.dtype != np.dtype(slot.variable.dtype) and not _both_count(item.dtype, np.dtype(slot.variable.dtype)):
        problem, expected = "the weight has another dtype", slot.variable.dtype
        got = f"{item.dtype} ({item.dtype.str})"
    else:
        return None
    return ModelFileError(problem, layer=slot.layer, key=slot.path, expected=expected, got=got)


def _both_count(stored: np.dtype[Any], wanted: np.dtype[Any]) -> bool:
    """Whether both hold whole numbers of 4 or 8 bytes: the backends of Keras differ in that."""
    return all(dtype.kind in "iu" and dtype.itemsize in (4, 8) and dtype.isnative for dtype in (stored, wanted))


def read_all(name: str, weights: Weights, slots: Sequence[Slot], nonfinite: Nonfinite) -> list[np.ndarray]:
    """The values of all weights, as they are stored, free of NaN.

    Args:
        name: The file, for warnings.
        weights: The weights in it.
        slots: Their places.
        nonfinite: What to do about NaN and infinities.

    Raises:
        ModelFileError: If one does not fit.
    """
    arrays = weights.read(check_stored(weights, slots))
    for slot, array in zip(slots, arrays, strict=True):
        _check_values(name, slot, array, nonfinite)
    return arrays


def _check_values(name: str, slot: Slot, array: np.ndarray, nonfinite: Nonfinite) -> None:
    problem = None
    if array.dtype.kind in "iu":
        _check_range(name, slot, array)
    if nonfinite == "allow" or array.dtype.kind != "f":
        return
    count = _count_nonfinite(array)
    if count:
        problem = f"{count} of {array.size} values are NaN or infinite"
    elif slot.variable.name.endswith("moving_variance") and (array < 0).any():
        problem = f"a variance is negative: {array.min()}"
    if problem is None:
        return
    advice = "nonfinite='allow' takes them as they are"
    error = ModelFileError(f"{problem}; {advice}", file=name, layer=slot.layer, key=slot.path)
    if nonfinite == "error":
        raise error
    warnings.warn(str(error), RuntimeWarning, stacklevel=2)


def _check_range(name: str, slot: Slot, array: np.ndarray) -> None:
    wanted = np.dtype(slot.variable.dtype)
    if array.dtype == wanted or not array.size:
        return
    least, most, limits = int(array.min()), int(array.max()), np.iinfo(wanted)
    if least < limits.min or most > limits.max:
        raise ModelFileError(
            f"values do not fit the weight, an {wanted}",
            file=name,
            layer=slot.layer,
            key=slot.path,
            expected=f"{limits.min} to {limits.max}",
            got=f"{least} to {most}",
        )


def _count_nonfinite(array: np.ndarray) -> int:
    """In parts that fit a cache, with no memory of the size of the array."""
    flat = array.reshape(-1)
    parts = (np.isfinite(flat[start : start + _PART]) for start in range(0, flat.size, _PART))
    return sum(part.size - int(np.count_nonzero(part)) for part in parts)


def assign_all(slots: Sequence[Slot], arrays: list[np.ndarray]) -> None:
    """Gives every weight its values; each array is handed over, or let go of before the next is taken."""
    for slot in reversed(slots):
        slot.variable.adopt(slot.unpacked(arrays.pop()))
