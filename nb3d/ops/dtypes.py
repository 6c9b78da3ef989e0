"""The common dtype of operands: Keras' rule, in which an integer never widens a float."""

from __future__ import annotations

from typing import Any

import numpy as np

from nb3d.engine.settings import SETTINGS


def is_float(dtype: str) -> bool:
    """Whether a dtype is a floating one."""
    return dtype.startswith("float")


def common_dtype(values: list[Any]) -> str:
    """The dtype in which operands meet.

    Floats win over integers, integers over booleans; among arrays of one kind the wider wins. Python numbers are weak:
    they decide only when no array of their kind, or of a stronger one, is there.
    """
    typed = [str(value.dtype) for value in values if hasattr(value, "dtype")]
    weak = [type(value) for value in values if not hasattr(value, "dtype")]
    floats = [dtype for dtype in typed if is_float(dtype)]
    if floats:
        return np.result_type(*floats).name
    if float in weak:
        return SETTINGS.floatx()
    integers = [dtype for dtype in typed if dtype != "bool"]
    if integers:
        return np.result_type(*integers).name
    return "int32" if int in weak else "bool"


def float_dtype(dtype: str) -> str:
    """`dtype` if it is floating, else the default float type: what means and square roots of integers are."""
    return dtype if is_float(dtype) else SETTINGS.floatx()
