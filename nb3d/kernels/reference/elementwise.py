"""Arithmetic, comparison and logic, voxel by voxel: NumPy's own ufuncs under nb3d's names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nb3d.kernels.case import Kernel
from nb3d.kernels.reference.activations import erf
from nb3d.kernels.reference.family import serve, wide, write

UNARY: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "abs": np.abs,
    "negative": np.negative,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "square": np.square,
    "reciprocal": lambda x: 1.0 / x,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    **{
        name: getattr(np, name)
        for name in (
            "sin",
            "cos",
            "tan",
            "arcsin",
            "arccos",
            "arctan",
            "sinh",
            "cosh",
            "arcsinh",
            "arccosh",
            "arctanh",
            "log2",
            "log10",
            "exp2",
            "cbrt",
            "trunc",
        )
    },
    "erf": erf,
    "isnan": np.isnan,
    "isfinite": np.isfinite,
    "isinf": np.isinf,
    "logical_not": np.logical_not,
}

BINARY: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "floor_divide": np.floor_divide,
    "mod": np.mod,
    "power": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "arctan2": np.arctan2,
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
}


def _unary(function: Callable[[np.ndarray], np.ndarray]) -> Kernel:
    def kernel(x: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
        with np.errstate(all="ignore"):
            write(function(wide(x)), out)

    return kernel


def _binary(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Kernel:
    def kernel(a: np.ndarray, b: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
        with np.errstate(all="ignore"):
            # In the dtype of the operands: comparisons must see what the user sees, and NumPy rounds once.
            np.copyto(out, function(a, b), casting="unsafe")

    return kernel


def clip(x: np.ndarray, out: np.ndarray, scratch: np.ndarray, low: float, high: float) -> None:
    """``x`` moved into ``[low, high]``."""
    write(np.clip(wide(x), low, high), out)


def where(condition: np.ndarray, a: np.ndarray, b: np.ndarray, out: np.ndarray, scratch: np.ndarray) -> None:
    """``a`` where the condition holds, ``b`` elsewhere."""
    np.copyto(out, np.where(condition, a, b), casting="unsafe")


KERNELS: dict[str, Kernel] = (
    {name: _unary(function) for name, function in UNARY.items()}
    | {name: _binary(function) for name, function in BINARY.items()}
    | {"clip": clip, "where": where}
)

accepts, load = serve(KERNELS)
