"""Matrix products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.convolution import NO_EPILOGUE, convolve
from nb3d.ops.operation import operation
from nb3d.ops.shapes import broadcast, check_rank
from nb3d.ops.shaping import expand_dims, squeeze
from nb3d.ops.volumes import RANKS, in_volume


def _dense_spec(x: TensorSpec, kernel: TensorSpec, bias: Any, epilogue: Any = None) -> TensorSpec:
    check_rank(x, 2, "dense input")
    check_rank(kernel, 2, "dense kernel")
    if x.shape[1] not in (kernel.shape[0], None):
        raise ValueError(f"dense: an input of shape {x.shape} does not fit a kernel of shape {kernel.shape}")
    return TensorSpec((x.shape[0], kernel.shape[1]), x.dtype)


def _dense_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(attrs.get("epilogue", NO_EPILOGUE))


DENSE = Op("dense", _dense_spec, _dense_params)


def _matmul_spec(a: TensorSpec, b: TensorSpec) -> TensorSpec:
    if len(a.shape) < 2 or len(b.shape) < 2:
        raise ValueError(f"matmul: expected tensors of rank 2 or more, got shapes {a.shape} and {b.shape}")
    if a.shape[-1] is not None and b.shape[-2] is not None and a.shape[-1] != b.shape[-2]:
        raise ValueError(f"matmul: the last size of {a.shape} and the last but one of {b.shape} differ")
    return TensorSpec((*broadcast(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), a.dtype)


MATMUL = Op("matmul", _matmul_spec)


def dense(x: Any, kernel: Any) -> Any:
    """The product of the last axis of `x` with a matrix ``(in, out)``; the other axes are kept.

    With one to three axes in between it is a convolution with a window of one voxel, whose kernel is as fast and takes
    bias and activation with it.
    """
    rank = len(x.shape)
    if rank == 2:
        return apply(DENSE, x, kernel, None)
    if rank - 2 not in RANKS or x.shape[-1] is None:
        return apply(MATMUL, x, kernel)
    return in_volume(lambda volume: convolve(volume, kernel, (1,), "valid", (1,)), x, "channels_last")


@operation("Matmul")
def matmul(x1: Any, x2: Any) -> Any:
    """The matrix product over the last two axes; the others broadcast. A tensor of rank 1 is a row, or a column."""
    row, column = len(x1.shape) == 1, len(x2.shape) == 1
    product = apply(MATMUL, expand_dims(x1, 0) if row else x1, expand_dims(x2, 1) if column else x2)
    dropped = [-2] * row + [-1] * column
    return squeeze(product, dropped) if dropped else product
