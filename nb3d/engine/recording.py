"""How a call of a layer or operation on symbolic tensors becomes a node of the upper graph."""

from __future__ import annotations

from typing import Any

from nb3d.engine.node import Node, symbolic_leaves
from nb3d.engine.opgraph import IDENTITY, record
from nb3d.engine.structure import map_structure
from nb3d.engine.tensor import KerasTensor, TensorSpec, is_keras_tensor


def fresh_outputs(name: str, outputs: Any) -> Any:
    """Symbolic tensors that stand for `outputs`, so that each call owns the tensors that carry its history."""

    def fresh(value: Any) -> KerasTensor:
        spec = value.spec if hasattr(value, "spec") else TensorSpec(tuple(value.shape), str(value.dtype))
        return record(IDENTITY, (value,), spec, {}, name)

    return map_structure(fresh, outputs)


def record_call(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
    """Adds the node of a call, provided that every input has a history (otherwise the call leaves no trace).

    Args:
        operation: The layer or operation.
        args: Positional arguments of the call, inputs first.
        kwargs: Keyword arguments of the call as the user gave them.
        outputs: The fresh tensors that the call returns.
    """
    if all(is_keras_tensor(tensor) for tensor in symbolic_leaves(args, kwargs)):
        inputs = symbolic_leaves(args) or symbolic_leaves(kwargs)
        Node(operation, inputs, symbolic_leaves(outputs), args, kwargs)
