"""The decorator of public functions: called on a `KerasTensor` outside any layer, one leaves a node of the graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from nb3d.engine.contexts import call_depth
from nb3d.engine.node import symbolic_leaves
from nb3d.engine.operation import Operation

Function = TypeVar("Function", bound=Callable[..., Any])

# Name of Keras' operation class in files -> public function.
OPERATIONS: dict[str, Callable[..., Any]] = {}


def operation(class_name: str) -> Callable[[Function], Function]:
    """Makes a function of `nb3d.ops` a node of the graph where it is called on symbols outside a layer's call.

    Args:
        class_name: The name that Keras 3 writes for it in files.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def dual_mode(*args: Any, **kwargs: Any) -> Any:
            if call_depth() or not symbolic_leaves(args, kwargs):
                return function(*args, **kwargs)
            return Operation(function, class_name)(*args, **kwargs)

        OPERATIONS[class_name] = dual_mode
        return dual_mode  # type: ignore[return-value]  # the same signature, by functools.wraps

    return decorate
