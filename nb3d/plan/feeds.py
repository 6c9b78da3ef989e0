"""What a run is given: arrays of the host, or those that another library has on the GPU, checked against the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nb3d.engine.node import symbolic_leaves
from nb3d.engine.tensor import Dims, KerasTensor
from nb3d.kernels import devices

if TYPE_CHECKING:
    from nb3d.kernels.cuda.arrays import Array

Feed = Any  # an array of NumPy, or `nb3d.kernels.cuda.arrays.Array`: which of them, only whoever runs it must know


def as_feed(value: Any) -> Any:
    """A value as an array: one on a GPU as it stands, anything else as NumPy has it."""
    if isinstance(value, np.ndarray):
        return value
    if any(hasattr(value, name) for name in ("__cuda_array_interface__", "__dlpack_device__")):
        from nb3d.kernels.cuda.exchange import is_on_gpu

        return value if is_on_gpu(value) else np.asarray(value)
    from nb3d.kernels.cuda.arrays import Array

    return value if isinstance(value, Array) else np.asarray(value)  # checked before


def is_on_host(value: Any) -> bool:
    """Whether what `as_feed` returned lies on the host."""
    return isinstance(value, np.ndarray)


def check_feeds(inputs: Sequence[KerasTensor], arrays: Any, device: str, any_batch: bool = False) -> list[Feed]:
    """The arrays, once they are found to fit the inputs; those of a GPU as the run time sees them.

    Args:
        inputs: What they are for.
        arrays: One for each.
        device: Where they will be used.
        any_batch: Whether they may have another batch size than an input whose shape has one.

    Raises:
        TypeError: If they are no list of arrays, or lie on a GPU and are not for it, or have another dtype there.
        ValueError: If their number or one of them does not fit, or one lies on another GPU, or not contiguous there.
        RuntimeError: If the device cannot be used.
    """
    devices.resolve(device)  # before somebody plans for it
    if isinstance(arrays, np.ndarray) or not isinstance(arrays, Sequence):
        raise TypeError(f"Expected a list of {len(inputs)} arrays, got {type(arrays).__name__}.")
    if len(arrays) != len(inputs):
        raise ValueError(f"Expected {len(inputs)} arrays, got {len(arrays)}.")
    if symbolic_leaves(arrays):
        raise TypeError(f"Expected arrays, got the symbolic tensor {symbolic_leaves(arrays)[0]!r}.")
    result = []
    for tensor, value in zip(inputs, arrays, strict=True):
        array = as_feed(value)
        if not is_on_host(array):
            array = _borrowed(tensor, array, device)
        elif array.dtype.kind not in "fiub":
            raise ValueError(f"Input {tensor.name!r}: expected numbers, got an array of dtype {array.dtype}.")
        check_shape(tensor, array.shape, any_batch)
        result.append(array)
    return result


def check_shape(tensor: KerasTensor, shape: Dims, any_batch: bool = False) -> None:
    """Raises `ValueError` unless a shape is one of an input, with all sizes known."""
    wanted = (None, *tensor.shape[1:]) if any_batch and tensor.shape else tensor.shape
    fits = len(shape) == len(wanted) and all(w in (None, s) for w, s in zip(wanted, shape, strict=True))
    if not fits:
        raise ValueError(f"Input {tensor.name!r}: expected an array of shape {wanted}, got {shape}.")
    if any(size is None for size in shape):
        raise ValueError(f"Input {tensor.name!r}: a plan needs all sizes, got {shape}.")


def _borrowed(tensor: KerasTensor, value: Any, device: str) -> Array:
    from nb3d.kernels.cuda.arrays import Array
    from nb3d.kernels.cuda.exchange import borrow

    if devices.resolve(device).name != "cuda":
        raise TypeError(
            f"Input {tensor.name!r} lies on a GPU, and the device is {device!r}: choose device='cuda', or copy it to "
            "the host."
        )
    runtime = devices.gpu()
    with runtime.turn:
        try:
            array = value if isinstance(value, Array) else borrow(value, runtime)
        except (TypeError, ValueError) as error:
            raise type(error)(f"Input {tensor.name!r}: {error}") from None
    if array.dtype != tensor.dtype:
        raise TypeError(
            f"Input {tensor.name!r}: expected {tensor.dtype} on the GPU, got {array.dtype}: cast it there first."
        )
    return array
