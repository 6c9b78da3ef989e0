"""Operations that move values without changing them: reshape, transpose, slice, concatenate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.operation import operation
from nb3d.ops.shapes import broadcast, normalize_axes, normalize_axis, product


def shape(x: Any) -> tuple[int | None, ...]:
    """The sizes of `x`; ``None`` where a symbolic tensor does not know one."""
    return tuple(x.shape)


def resolve_shape(sizes: tuple[int | None, ...], target: tuple[int, ...]) -> tuple[int | None, ...]:
    """`target` with its -1 replaced by what `sizes` leave for it.

    Raises:
        ValueError: If the number of values differs, or more than one size is -1.
    """
    if target.count(-1) > 1 or any(size < -1 for size in target):
        raise ValueError(f"reshape: expected sizes >= 0 and at most one -1, got {target}")
    total, known = product(sizes), product(size for size in target if size != -1) or 0
    message = f"reshape: a tensor of shape {sizes} cannot take the shape {target}"
    if -1 in target:
        if total is None:
            return tuple(None if size == -1 else size for size in target)
        if known == 0 or total % known:
            raise ValueError(message)
        return tuple(total // known if size == -1 else size for size in target)
    if total is not None and total != known:
        raise ValueError(message)
    return target


def _reshape_spec(x: TensorSpec, shape: tuple[int, ...], keep_batch: bool = False) -> TensorSpec:
    if not keep_batch:
        return TensorSpec(resolve_shape(x.shape, shape), x.dtype)
    return TensorSpec((x.shape[0], *resolve_shape(x.shape[1:], shape)), x.dtype)


RESHAPE = Op("reshape", _reshape_spec)


@operation("Reshape")
def reshape(x: Any, newshape: Sequence[int | None]) -> Any:
    """`x` in another shape of as many values, in C order; one size may be -1."""
    return apply(RESHAPE, x, shape=tuple(-1 if size is None else int(size) for size in newshape))


def reshape_samples(x: Any, target: Sequence[int]) -> Any:
    """Every sample of a batch in another shape; the batch size stays as it is, known or not."""
    return apply(RESHAPE, x, shape=tuple(int(size) for size in target), keep_batch=True)


def _transpose_spec(x: TensorSpec, axes: tuple[int, ...]) -> TensorSpec:
    if sorted(axes) != list(range(len(x.shape))):
        raise ValueError(f"transpose: axes {axes} do not fit a tensor of rank {len(x.shape)}")
    return TensorSpec(tuple(x.shape[axis] for axis in axes), x.dtype)


def _axes_param(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return (attrs["axes"],)


TRANSPOSE = Op("transpose", _transpose_spec, _axes_param)


@operation("Transpose")
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """`x` with its axes in another order; reversed where `axes` is absent."""
    rank = len(x.shape)
    order = range(rank)[::-1] if axes is None else [normalize_axis(axis, rank) for axis in axes]
    return apply(TRANSPOSE, x, axes=tuple(order))


def channels_first_to_last(x: Any) -> Any:
    """``(batch, channels, ...)`` to ``(batch, ..., channels)``."""
    rank = len(x.shape)
    return apply(TRANSPOSE, x, axes=(0, *range(2, rank), 1))


def channels_last_to_first(x: Any) -> Any:
    """``(batch, ..., channels)`` to ``(batch, channels, ...)``."""
    rank = len(x.shape)
    return apply(TRANSPOSE, x, axes=(0, rank - 1, *range(1, rank - 1)))


def _concatenate_spec(*inputs: TensorSpec, axis: int) -> TensorSpec:
    first = inputs[0].shape
    axis = normalize_axis(axis, len(first))
    others = []
    for spec in inputs:
        if len(spec.shape) != len(first):
            raise ValueError(f"concatenate: all inputs need one rank, got shapes {[spec.shape for spec in inputs]}")
        others.append(spec.shape[:axis] + spec.shape[axis + 1 :])
    merged: list[int | None] = []
    for sizes in zip(*others, strict=True):
        known = {size for size in sizes if size is not None}
        if len(known) > 1:
            raise ValueError(
                f"concatenate: sizes may differ along axis {axis} only, got shapes {[spec.shape for spec in inputs]}"
            )
        merged.append(known.pop() if known else None)
    lengths = [spec.shape[axis] for spec in inputs]
    total = None if None in lengths else sum(length or 0 for length in lengths)
    return TensorSpec((*merged[:axis], total, *merged[axis:]), inputs[0].dtype)


def _axis_param(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return (normalize_axis(attrs["axis"], len(out.shape)),)


CONCATENATE = Op("concatenate", _concatenate_spec, _axis_param)


@operation("Concatenate")
def concatenate(xs: Sequence[Any], axis: int = -1) -> Any:
    """Tensors of equal rank one behind the other along `axis`."""
    if not xs:
        raise ValueError("concatenate: expected at least one tensor, got none")
    return apply(CONCATENATE, *xs, axis=axis)


@operation("Stack")
def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """Tensors of equal shape one behind the other along a new `axis`."""
    if not xs:
        raise ValueError("stack: expected at least one tensor, got none")
    return apply(CONCATENATE, *(expand_dims(x, axis) for x in xs), axis=axis)


def _expand_dims_spec(x: TensorSpec, axis: int) -> TensorSpec:
    axis = normalize_axis(axis, len(x.shape) + 1)
    return TensorSpec((*x.shape[:axis], 1, *x.shape[axis:]), x.dtype)


def _squeeze_spec(x: TensorSpec, axis: Any) -> TensorSpec:
    ones = tuple(i for i, size in enumerate(x.shape) if size == 1)
    axes = ones if axis is None else normalize_axes(axis, len(x.shape))
    if any(x.shape[i] not in (1, None) for i in axes):
        raise ValueError(f"squeeze: axes {axes} of shape {x.shape} are not all of size 1")
    return TensorSpec(tuple(size for i, size in enumerate(x.shape) if i not in axes), x.dtype)


EXPAND_DIMS = Op("reshape", _expand_dims_spec)
SQUEEZE = Op("reshape", _squeeze_spec)


@operation("ExpandDims")
def expand_dims(x: Any, axis: int) -> Any:
    """`x` with a new axis of size 1 at `axis`."""
    return apply(EXPAND_DIMS, x, axis=axis)


@operation("Squeeze")
def squeeze(x: Any, axis: Any = None) -> Any:
    """`x` without the axes of size 1 (or without those named)."""
    return apply(SQUEEZE, x, axis=axis)


BROADCAST_TO = Op("broadcast_to", lambda x, shape: TensorSpec(broadcast(x.shape, shape), x.dtype))


@operation("BroadcastTo")
def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    """`x` repeated along axes of size 1 until it has `shape`."""
    target = tuple(int(size) for size in shape)
    if broadcast(tuple(np.shape(x)) if not hasattr(x, "shape") else tuple(x.shape), target) != target:
        raise ValueError(f"broadcast_to: shape {tuple(x.shape)} cannot be broadcast to {target}")
    return apply(BROADCAST_TO, x, shape=target)


def _slice_spec(x: TensorSpec, key: tuple[slice, ...]) -> TensorSpec:
    sizes: list[int | None] = []
    for size, part in zip(x.shape, key, strict=True):
        if part == slice(None):
            sizes.append(size)
        elif size is None:
            sizes.append(_unknown_slice_length(part))
        else:
            sizes.append(len(range(*part.indices(size))))
    return TensorSpec(tuple(sizes), x.dtype)


def _unknown_slice_length(part: slice) -> int | None:
    """Length of ``[i:i + 1]``, which an index makes; other slices of an unknown size are unknown."""
    if part.step is None and part.start is not None and part.stop is not None and part.stop - part.start == 1:
        return 1
    return 1 if part.start == -1 and part.stop is None and part.step is None else None


def _slice_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    ranges = [part.indices(size) for part, size in zip(attrs["key"], inputs[0].shape, strict=True)]
    return tuple(start for start, _, _ in ranges), tuple(step for _, _, step in ranges)


SLICE = Op("slice", _slice_spec, _slice_params)


@operation("GetItem")
def get_item(x: Any, key: Any) -> Any:
    """``x[key]`` for integers, slices, ``...`` and ``None``.

    Raises:
        TypeError: If `key` holds arrays or tensors.
        ValueError: If an index is out of range, or there are too many.
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    rank = len(x.shape)
    named = sum(item is not None and item is not Ellipsis for item in keys)
    if named > rank:
        raise ValueError(f"{named} indices are too many for a tensor of rank {rank}")
    if not any(item is Ellipsis for item in keys):
        keys.append(Ellipsis)
    at = next(i for i, item in enumerate(keys) if item is Ellipsis)
    keys = keys[:at] + [slice(None)] * (rank - named) + keys[at + 1 :]
    slices: list[slice] = []
    result: list[str] = []
    for item in keys:
        if item is None:
            result.append("new")
        elif isinstance(item, slice):
            slices.append(item)
            result.append("keep")
        elif isinstance(item, int | np.integer) and not isinstance(item, bool):
            slices.append(_index_slice(int(item), x.shape[len(slices)]))
            result.append("drop")
        else:
            raise TypeError(f"tensors are indexed with integers, slices, ... and None, got {item!r}")
    if any(part != slice(None) for part in slices):
        x = apply(SLICE, x, key=tuple(slices))
    return with_axes(x, tuple(result)) if set(result) != {"keep"} else x


def _index_slice(index: int, size: int | None) -> slice:
    if size is not None and not -size <= index < size:
        raise ValueError(f"index {index} is out of range for an axis of size {size}")
    return slice(index, None) if index == -1 else slice(index, index + 1)


def _axes_spec(x: TensorSpec, plan: tuple[str, ...]) -> TensorSpec:
    sizes = iter(x.shape)
    result: list[int | None] = []
    for step in plan:
        if step == "new":
            result.append(1)
        else:
            size = next(sizes)
            if step == "keep":
                result.append(size)
    return TensorSpec(tuple(result), x.dtype)


AXES = Op("reshape", _axes_spec)


def with_axes(x: Any, plan: tuple[str, ...]) -> Any:
    """`x` with axes of size 1 added and removed.

    Args:
        x: Tensor or array.
        plan: ``"keep"`` or ``"drop"`` for every axis of `x` in order, ``"new"`` where an axis is added.
    """
    return apply(AXES, x, plan=plan)


def _merge_spec(x: TensorSpec, axis: int, count: int) -> TensorSpec:
    return TensorSpec((*x.shape[:axis], product(x.shape[axis : axis + count]), *x.shape[axis + count :]), x.dtype)


def _divide_spec(x: TensorSpec, axis: int, sizes: tuple[int, ...]) -> TensorSpec:
    if x.shape[axis] not in (product(sizes), None):
        raise ValueError(f"axis {axis} of shape {x.shape} cannot be divided into {sizes}")
    return TensorSpec((*x.shape[:axis], *sizes, *x.shape[axis + 1 :]), x.dtype)


MERGE = Op("reshape", _merge_spec)
DIVIDE = Op("reshape", _divide_spec)


def merge_axes(x: Any, axis: int, count: int) -> Any:
    """`count` axes from `axis` on as one; the others keep their sizes, known or not."""
    return apply(MERGE, x, axis=normalize_axis(axis, len(x.shape)), count=count)


def divide_axis(x: Any, axis: int, sizes: Sequence[int]) -> Any:
    """`axis` as several of `sizes`; the others keep their sizes, known or not."""
    return apply(DIVIDE, x, axis=normalize_axis(axis, len(x.shape)), sizes=tuple(sizes))


def _unfold_spec(x: TensorSpec, like: TensorSpec) -> TensorSpec:
    return TensorSpec((*like.shape[:2], *x.shape[1:]), x.dtype)


UNFOLD = Op("unfold", _unfold_spec, promote=False)


def unfold_batch(x: Any, like: Any) -> Any:
    """The first axis of `x` as the first two of `like`, of which both sizes may be unknown."""
    return apply(UNFOLD, x, like)


def split_in_two(x: Any, axis: int) -> tuple[Any, Any]:
    """The two halves of `x` along `axis`."""
    axis = normalize_axis(axis, len(x.shape))
    size = x.shape[axis]
    if size is None or size % 2:
        raise ValueError(f"an even size is needed along axis {axis} to halve it, got {size}")
    before = [slice(None)] * axis
    return get_item(x, (*before, slice(0, size // 2))), get_item(x, (*before, slice(size // 2, size)))
