"""The dtypes that nb3d computes with."""

from __future__ import annotations

from typing import Any

import numpy as np

DTYPES = ("float32", "float64", "int32", "int64", "uint8", "int8", "int16", "uint16", "uint32", "uint64", "bool")


def dtype_name(dtype: Any) -> str:
    """The name of a supported dtype.

    Raises:
        ValueError: If it is not one of those that nb3d computes with.
    """
    try:
        name = str(np.dtype(dtype).name)
    except (TypeError, ValueError):
        name = str(dtype)
    if name not in DTYPES:
        raise ValueError(f"Unsupported dtype: expected one of {', '.join(DTYPES)}, got {dtype!r}.")
    return name
