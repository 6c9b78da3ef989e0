"""Tensors of the shape of another with given values: constants, triangles."""

from __future__ import annotations

import math
from typing import Any

from nb3d.engine.dtypes import dtype_name
from nb3d.ops.apply import as_dtype
from nb3d.ops.elementwise import greater_equal, less, less_equal, where
from nb3d.ops.operation import operation
from nb3d.ops.statistics import cumsum


def nowhere(x: Any) -> Any:
    """False in the shape of `x`."""
    return less(x, -math.inf)


@operation("FullLike")
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """`fill_value` in the shape of `x`."""
    kind = str(x.dtype) if dtype is None else dtype_name(dtype)
    return where(nowhere(x), as_dtype(0, kind), as_dtype(fill_value, kind))


@operation("ZerosLike")
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of `x`."""
    return full_like(x, 0, dtype)


@operation("OnesLike")
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape of `x`."""
    return full_like(x, 1, dtype)


def positions(x: Any, axis: int) -> Any:
    """For every value of `x` its index along `axis`, whatever the size."""
    return cumsum(ones_like(x, "int32"), axis) - 1


@operation("Tril")
def tril(x: Any, k: int = 0) -> Any:
    """`x` on and below the diagonal of its last two axes that lies `k` above the main one; 0 elsewhere."""
    return where(less_equal(positions(x, -1), positions(x, -2) + k), x, 0)


@operation("Triu")
def triu(x: Any, k: int = 0) -> Any:
    """`x` on and above the diagonal of its last two axes that lies `k` above the main one; 0 elsewhere."""
    return where(greater_equal(positions(x, -1), positions(x, -2) + k), x, 0)
