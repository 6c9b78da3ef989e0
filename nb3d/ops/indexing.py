"""Operations that pick values by index, and find indices by value."""

from __future__ import annotations

from typing import Any

import numpy as np

from nb3d.engine.dtypes import dtype_name
from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.settings import SETTINGS
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply, as_dtype
from nb3d.ops.elementwise import cast, equal
from nb3d.ops.operation import operation
from nb3d.ops.rearranging import ravel, slice_axis
from nb3d.ops.shapes import broadcast, integers, normalize_axis
from nb3d.ops.shaping import expand_dims

_MOST_CLASSES = 2**24  # of one_hot, which has them in memory: a number from a file must not be any


def _axis(inputs: Specs, out: TensorSpec, attrs: Any) -> tuple[int]:
    return (normalize_axis(attrs["axis"], len(inputs[0].shape)),)


def _take_spec(x: TensorSpec, indices: TensorSpec, axis: int) -> TensorSpec:
    axis = normalize_axis(axis, len(x.shape))
    return TensorSpec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


def _take_along_spec(x: TensorSpec, indices: TensorSpec, axis: int) -> TensorSpec:
    axis = normalize_axis(axis, len(x.shape))
    sizes = [1 if i == axis else size for i, size in enumerate(x.shape)]
    others = [1 if i == axis else size for i, size in enumerate(indices.shape)]
    merged = broadcast(tuple(sizes), tuple(others))
    return TensorSpec((*merged[:axis], indices.shape[axis], *merged[axis + 1 :]), x.dtype)


TAKE = Op("take", _take_spec, _axis, promote=False)
TAKE_ALONG_AXIS = Op("take_along_axis", _take_along_spec, _axis, promote=False)


@operation("Take")
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The parts of `x` at `indices` along `axis`, of all values where it is absent; negative ones count from the end.

    Raises:
        ValueError: When computed, if an index is beyond the ends.
    """
    x, axis = (ravel(x), 0) if axis is None else (x, axis)
    return apply(TAKE, x, as_dtype(indices, "int32"), axis=axis)


@operation("TakeAlongAxis")
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The values of `x` at `indices` along `axis`, each at the place of its index; the other axes broadcast."""
    x, axis = (ravel(x), 0) if axis is None else (x, axis)
    return apply(TAKE_ALONG_AXIS, x, as_dtype(indices, "int32"), axis=axis)


def _sort_spec(x: TensorSpec, axis: int) -> TensorSpec:
    normalize_axis(axis, len(x.shape))
    return x


def _argsort_spec(x: TensorSpec, axis: int) -> TensorSpec:
    normalize_axis(axis, len(x.shape))
    return TensorSpec(x.shape, "int32")


SORT = Op("sort", _sort_spec, _axis)
ARGSORT = Op("argsort", _argsort_spec, _axis)


@operation("Sort")
def sort(x: Any, axis: int = -1) -> Any:
    """The values of `x` along `axis` from the smallest to the largest, NaN last."""
    return apply(SORT, x, axis=axis)


@operation("Argsort")
def argsort(x: Any, axis: int = -1) -> Any:
    """Where along `axis` the values of `x` are, from the smallest to the largest; equal ones keep their order."""
    return apply(ARGSORT, x, axis=axis)


@operation("TopK")
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """The `k` largest values along the last axis, largest first, and where they are."""
    (count,) = integers(k, "k", 1)
    order = slice_axis(argsort(-x), -1, slice(0, count))
    return take_along_axis(x, order, -1), order


@operation("OneHot")
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """1 at the place that an integer of `x` counts along a new `axis`, 0 elsewhere.

    Args:
        x: Integers.
        num_classes: Size of the new axis.
        axis: Where it stands.
        dtype: Name of the dtype of the result; the default float type where absent.
        sparse: Must be false.

    Raises:
        ValueError: If `num_classes` is no number of classes.
    """
    rank = len(x.shape) + 1
    (classes,) = integers(num_classes, "num_classes", 1)
    if classes > _MOST_CLASSES:
        raise ValueError(f"expected at most {_MOST_CLASSES} classes, got {classes}")
    places = np.arange(classes, dtype="int32").reshape(
        [-1 if i == normalize_axis(axis, rank) else 1 for i in range(rank)]
    )
    hot = equal(expand_dims(as_dtype(x, "int32"), axis), places)
    return cast(hot, SETTINGS.floatx() if dtype is None else dtype_name(dtype))
