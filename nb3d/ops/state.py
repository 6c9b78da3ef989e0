"""Updates: symbolic tensors whose evaluation changes a Variable."""

from __future__ import annotations

from typing import Any

import numpy as np

from nb3d.engine.contexts import variables_are_symbols
from nb3d.engine.opgraph import IDENTITY, Op, record
from nb3d.engine.tensor import TensorSpec
from nb3d.engine.variable import Variable
from nb3d.ops.apply import apply, as_dtype
from nb3d.ops.elementwise import ADD, SUBTRACT
from nb3d.ops.shapes import broadcast


def _assign_spec(variable: TensorSpec, value: TensorSpec) -> TensorSpec:
    return variable


ASSIGN = Op("assign", _assign_spec, stateful=True)


def assign(variable: Variable, value: Any) -> Any:
    """Sets a Variable.

    In the graph the result is an update, a tensor that stands for the new value: `nb3d.function(..., updates=[...])`
    runs it. In eager mode, and inside calls on arrays, the Variable changes at once.

    Args:
        variable: The Variable.
        value: Tensor, array or number that broadcasts to its shape.

    Returns:
        The symbolic new value, or the array of it.

    Raises:
        TypeError: If `variable` is not a Variable.
        ValueError: If the shapes do not fit.
    """
    if not isinstance(variable, Variable):
        raise TypeError(f"assign: expected a Variable, got {type(variable).__name__}")
    value = as_dtype(value, variable.dtype)
    shape = tuple(value.shape)
    if broadcast(variable.shape, shape) != variable.shape:
        raise ValueError(f"assign: a value of shape {shape} does not fit Variable {variable.name!r} {variable.shape}")
    if variables_are_symbols() or hasattr(value, "producer"):
        return record(ASSIGN, (variable, value), variable.spec, {}, f"{variable.name}/assign")
    variable.assign(np.broadcast_to(np.asarray(value), variable.shape))
    return variable.numpy()


def read(variable: Variable) -> Any:
    """The Variable's value at the time of the run, as a symbol; in calls on arrays the Variable itself."""
    return record(IDENTITY, (variable,), variable.spec, {}, variable.name) if variables_are_symbols() else variable


def assign_add(variable: Variable, value: Any) -> Any:
    """Adds `value` to a Variable; see `assign`."""
    return assign(variable, apply(ADD, read(variable), value))


def assign_sub(variable: Variable, value: Any) -> Any:
    """Subtracts `value` from a Variable; see `assign`."""
    return assign(variable, apply(SUBTRACT, read(variable), value))
