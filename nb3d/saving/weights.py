"""From places in a file to the weights of a model: everything is checked, then read, then checked, then assigned."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from nb3d.models.files import Nonfinite
from nb3d.saving.errors import ModelFileError
from nb3d.saving.hdf5 import Hdf5
from nb3d.saving.layout import Slot

_POLICIES = ("error", "warn", "allow")


def bytes_of(slots: Sequence[Slot]) -> int:
    """Memory of all weights."""
    return sum(slot.variable.nbytes for slot in slots)


def check_budget(slots: Sequence[Slot], max_bytes: int) -> None:
    """Compares what the configuration asks for with what the caller allows, before any of it exists.

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


def check_policy(nonfinite: str) -> None:
    """Raises `ValueError` unless `nonfinite` is one of the three policies."""
    if nonfinite not in _POLICIES:
        raise ValueError(f"nonfinite must be one of {_POLICIES}, got {nonfinite!r}.")


def read_all(file: Hdf5, slots: Sequence[Slot], nonfinite: Nonfinite) -> list[np.ndarray]:
    """The values of all weights, each of the shape and dtype that the model has and free of NaN.

    Raises:
        ModelFileError: If one is not so; the message names layer and place, what was expected and what is there.
    """
    stored = [file.stored(slot.path) for slot in slots]
    for slot, item in zip(slots, stored, strict=True):
        wanted = slot.variable
        if item.shape != wanted.shape:
            raise ModelFileError(
                "the weight has another shape", layer=slot.layer, key=slot.path, expected=wanted.shape, got=item.shape
            )
        if item.dtype != np.dtype(wanted.dtype):
            raise ModelFileError(
                "the weight has another dtype",
                layer=slot.layer,
                key=slot.path,
                expected=wanted.dtype,
                got=f"{item.dtype} ({item.dtype.str})",
            )
    arrays = []
    for slot, item in zip(slots, stored, strict=True):
        array = file.read(item)
        _check_values(file.name, slot, array, nonfinite)
        arrays.append(array)
    return arrays


def _check_values(name: str, slot: Slot, array: np.ndarray, nonfinite: Nonfinite) -> None:
    problem = None
    if nonfinite == "allow" or array.dtype.kind != "f":
        return
    if not np.isfinite(array).all():
        count = array.size - np.count_nonzero(np.isfinite(array))
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


def assign_all(slots: Sequence[Slot], arrays: list[np.ndarray]) -> None:
    """Gives every weight its values; each array is let go of before the next is taken."""
    for slot in reversed(slots):
        slot.variable.assign(arrays.pop())
