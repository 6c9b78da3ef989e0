"""Operations that split, repeat, turn and pad, made of slices, reshapes and concatenations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.operation import operation
from nb3d.ops.resampling import zero_pad
from nb3d.ops.shapes import integers, normalize_axes, normalize_axis
from nb3d.ops.shaping import concatenate, expand_dims, get_item, merge_axes, reshape, transpose
from nb3d.ops.volumes import RANKS

Pairs = tuple[tuple[int, int], ...]
_MOST_COPIES = 65536


def _axes_list(axis: Any) -> list[int]:
    return [int(item) for item in axis] if isinstance(axis, Iterable) else [int(axis)]


def slice_axis(x: Any, axis: int, part: slice) -> Any:
    """`x` cut along one axis."""
    return get_item(x, (*[slice(None)] * normalize_axis(axis, len(x.shape)), part))


@operation("Moveaxis")
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """`x` with the axes `source` at the places `destination`; the others keep their order."""
    rank = len(x.shape)
    moved = [normalize_axis(axis, rank) for axis in _axes_list(source)]
    places = [normalize_axis(axis, rank) for axis in _axes_list(destination)]
    order = [axis for axis in range(rank) if axis not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


@operation("Swapaxes")
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """`x` with two axes in each other's place."""
    order = list(range(len(x.shape)))
    a, b = normalize_axis(axis1, len(order)), normalize_axis(axis2, len(order))
    order[a], order[b] = b, a
    return transpose(x, order)


@operation("Ravel")
def ravel(x: Any) -> Any:
    """All values of `x` in one row."""
    return reshape(x, (-1,))


@operation("Flip")
def flip(x: Any, axis: Any = None) -> Any:
    """`x` in reverse order along `axis`, several axes, or all."""
    axes = normalize_axes(axis, len(x.shape))
    return get_item(x, tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(len(x.shape))))


@operation("Roll")
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """`x` moved by `shift` places along `axis`; what leaves at one end comes in at the other.

    Raises:
        ValueError: If the size of an axis is unknown.
    """
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    for places, where in zip(_axes_list(shift), _axes_list(axis), strict=True):
        size = x.shape[normalize_axis(where, len(x.shape))]
        if size is None:
            raise ValueError(f"roll: the size of axis {where} of shape {x.shape} must be known")
        places = places % size if size else 0
        if places:
            x = concatenate([slice_axis(x, where, slice(-places, None)), slice_axis(x, where, slice(-places))], where)
    return x


@operation("Repeat")
def repeat(x: Any, repeats: int, axis: int | None = None) -> Any:
    """Every value `repeats` times, one after the other, along `axis`."""
    if axis is None:
        return repeat(ravel(x), repeats, 0)
    axis = normalize_axis(axis, len(x.shape))
    (count,) = integers(repeats, "repeats", 1)
    return merge_axes(_copies(expand_dims(x, axis + 1), count, axis + 1), axis, 2)


@operation("Tile")
def tile(x: Any, repeats: Any) -> Any:
    """`x` as a whole, repeated along its axes; one number counts for the last axis."""
    counts = _axes_list(repeats)
    while len(x.shape) < len(counts):
        x = expand_dims(x, 0)
    for axis, count in enumerate(counts, start=len(x.shape) - len(counts)):
        x = _copies(x, count, axis) if count > 1 else x
    return x


def _copies(x: Any, count: int, axis: int) -> Any:
    """So many of `x` side by side: each is an operand, so a number from a file must not be any."""
    if count > _MOST_COPIES:
        raise ValueError(f"expected at most {_MOST_COPIES} repetitions along an axis, got {count}")
    return concatenate([x] * count, axis)


@operation("Split")
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """`x` in parts along `axis`: so many of equal size, or cut at the given places.

    Raises:
        ValueError: If the size is unknown or cannot be divided.
    """
    size = x.shape[normalize_axis(axis, len(x.shape))]
    if isinstance(indices_or_sections, int):
        if size is None or size % indices_or_sections:
            raise ValueError(f"split: axis {axis} of size {size} cannot be split into {indices_or_sections} parts")
        part = size // indices_or_sections
        cuts: list[int | None] = list(range(0, size + 1, part))
    else:
        cuts = [0, *indices_or_sections, None]
    return [slice_axis(x, axis, slice(begin, end)) for begin, end in pairwise(cuts)]


@operation("Unstack")
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """The parts of `x` along `axis`, which they do not have any more.

    Raises:
        ValueError: If their number is unknown.
    """
    axis = normalize_axis(axis, len(x.shape))
    count = x.shape[axis] if num is None else num
    if count is None:
        raise ValueError(f"unstack: the size of axis {axis} of shape {x.shape} must be known, or `num` be given")
    return [get_item(x, (*[slice(None)] * axis, index)) for index in range(count)]


@operation("Hstack")
def hstack(xs: Sequence[Any]) -> Any:
    """Tensors side by side: along the second axis, along the first if there is only one."""
    return concatenate(xs, 1 if len(xs[0].shape) > 1 else 0)


@operation("Vstack")
def vstack(xs: Sequence[Any]) -> Any:
    """Tensors one upon the other: along the first axis; those of rank 1 are rows."""
    return concatenate([x if len(x.shape) > 1 else expand_dims(x, 0) for x in xs], 0)


def _pad_spec(x: TensorSpec, pairs: Pairs, mode: str, value: float) -> TensorSpec:
    sizes = [None if n is None else n + sum(pair) for n, pair in zip(x.shape, pairs, strict=True)]
    return TensorSpec(tuple(sizes), x.dtype)


def _pad_params(inputs: Specs, out: TensorSpec, attrs: Any) -> tuple[Any, ...]:
    return attrs["pairs"], attrs["mode"], attrs["value"]


PAD = Op("pad", _pad_spec, _pad_params)
PAD_MODES = ("constant", "edge", "reflect", "symmetric")


@operation("Pad")
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """`x` with values added before and after its axes.

    Args:
        x: Tensor or array.
        pad_width: A pair ``(before, after)`` per axis; one pair, or one number, for all.
        mode: ``'constant'``, ``'edge'``, ``'reflect'`` or ``'symmetric'``, as in `numpy.pad`.
        constant_values: The value of ``'constant'``, 0 where absent.

    Raises:
        ValueError: If an argument is not as above.

    Source: https://keras.io/api/ops/numpy/
    """
    rank, nested = len(x.shape), isinstance(pad_width, Iterable) and any(isinstance(i, Iterable) for i in pad_width)
    pairs = [integers(pair, "pad_width", 2, minimum=0) for pair in (pad_width if nested else [pad_width])]
    pairs = pairs * rank if len(pairs) == 1 else pairs
    if len(pairs) != rank or mode not in PAD_MODES:
        raise ValueError(f"pad: expected {rank} pairs and a mode of {PAD_MODES}, got {pad_width!r} and {mode!r}")
    if mode == "constant" and not constant_values and rank - 2 in RANKS and not any(pairs[0] + pairs[-1]):
        return zero_pad(x, pairs[1:-1])
    attrs = {"pairs": tuple((before, after) for before, after in pairs), "mode": mode}
    return apply(PAD, x, **attrs, value=float(constant_values or 0.0))
