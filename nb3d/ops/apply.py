"""`apply`: the one place that asks "symbolic or concrete?"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nb3d.engine.contexts import variables_are_symbols
from nb3d.engine.opgraph import CAST, Op, Specs, record
from nb3d.engine.tensor import KerasTensor, TensorSpec
from nb3d.engine.variable import Variable
from nb3d.ops.dtypes import common_dtype


def apply(op: Op, *inputs: Any, **attrs: Any) -> Any:
    """Computes an operation on arrays, or records it on symbols.

    Anything symbolic among the inputs makes the result symbolic. Otherwise arrays are computed with. An operation on
    nothing but Variables and numbers is recorded, so that losses on weights stay live, except within a call on arrays
    or in eager mode, where it is computed.

    Args:
        op: The operation.
        *inputs: `KerasTensor`, `Variable`, array, number, or ``None`` for an absent operand.
        **attrs: The operation's attributes.

    Returns:
        A `KerasTensor` or an array.
    """
    operands = tuple(_operand(value) for value in inputs)
    if op.promote:
        operands = _promoted(operands)
    specs = tuple(None if value is None else _spec(value) for value in operands)
    out = op.infer(*specs, **attrs)
    if is_symbolic(inputs):
        return record(op, operands, out, attrs)
    return _compute(op, operands, specs, out, attrs)


def is_symbolic(inputs: Any) -> bool:
    """Whether an operation on these inputs is recorded rather than computed."""
    if any(isinstance(value, KerasTensor) for value in inputs):
        return True
    has_variable = any(isinstance(value, Variable) for value in inputs)
    has_array = any(isinstance(value, np.ndarray | list | tuple) for value in inputs)
    return has_variable and not has_array and variables_are_symbols()


def _operand(value: Any) -> Any:
    """Symbols and Variables as they are; Python numbers too, for they take the dtype of the others; else an array."""
    if value is None or isinstance(value, KerasTensor | Variable | np.ndarray | bool | int | float):
        return value
    array = np.asarray(value)
    if array.dtype == object or array.dtype.kind in "USc":
        raise TypeError(f"Expected a tensor, an array or a number, got {value!r}.")
    return array


def _promoted(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """All operands in their common dtype."""
    dtype = common_dtype([value for value in operands if value is not None])
    return tuple(None if value is None else as_dtype(value, dtype) for value in operands)


def as_dtype(value: Any, dtype: str) -> Any:
    """`value`, cast where it has another dtype; numbers become arrays."""
    if isinstance(value, KerasTensor | Variable):
        return value if value.dtype == dtype else apply(CAST, value, dtype=dtype)
    return np.asarray(value, dtype=dtype)


def _spec(value: Any) -> TensorSpec:
    if isinstance(value, KerasTensor | Variable):
        return value.spec
    array = np.asarray(value)
    return TensorSpec(array.shape, array.dtype.name)


def _compute(op: Op, operands: tuple[Any, ...], specs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> np.ndarray:
    from nb3d.kernels import table  # a floor's exception: kernels are only reached for here, when there is work
    from nb3d.kernels.case import Case

    arrays = tuple(as_array(value, out.dtype) for value in operands)
    shape = tuple(size or 0 for size in out.shape)  # arrays have no unknown sizes
    case = Case(
        op=op.name,
        inputs=tuple(array.shape for array in arrays),
        dtypes=tuple(array.dtype.name for array in arrays),
        out=shape,
        out_dtype=out.dtype,
        params=op.params(specs, out, attrs),
        constant=tuple(False for _ in arrays),
    )
    result = np.empty(shape, out.dtype)
    table.run(case, arrays, result)
    return result


def as_array(value: Any, dtype: str) -> np.ndarray:
    """A contiguous array for a kernel; one of length 0 in `dtype` for an absent operand."""
    if value is None:
        return np.empty(0, dtype)
    return np.ascontiguousarray(value.value if isinstance(value, Variable) else value).reshape(np.shape(value))
