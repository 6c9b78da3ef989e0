"""Operations as Keras 3 writes them: which arguments belong to the constructor of its class, and which to the call."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nb3d.engine.node import Node, symbolic_leaves
from nb3d.saving.errors import ModelFileError
from nb3d.saving.keras_operations import CONFIGURED, MODULE_OF, OPTIONAL


def module_of(class_name: str, layer: str) -> str:
    """The module of an operation's class.

    Raises:
        ModelFileError: If Keras 3 has no such operation.
    """
    if class_name not in MODULE_OF:
        problem = f"Keras has no operation {class_name!r} for a file to name; use it in the call of a layer of your own"
        raise ModelFileError(problem, layer=layer)
    return MODULE_OF[class_name]


@dataclass
class SplitArguments:
    """The arguments of an operation's call as Keras has them.

    Attributes:
        config: Those of its constructor.
        args: Those of its call, in order.
        kwargs: Those of its call that may be absent.
    """

    config: dict[str, Any] = field(default_factory=dict)
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)


def split_arguments(operation: Any, node: Node) -> SplitArguments:
    """The arguments of a call, by where Keras keeps them.

    Raises:
        ModelFileError: If Keras has no place for one that is not what it would be without being given.
    """
    signature = inspect.signature(operation.function)
    bound = signature.bind(*node.call_args, **node.arguments)
    bound.apply_defaults()
    configured = CONFIGURED.get(operation.class_name, "").split()
    optional = OPTIONAL.get(operation.class_name, "").split()
    found = SplitArguments()
    for name, value in bound.arguments.items():
        parameter = signature.parameters[name]
        if name in configured:
            found.config[name] = value
        elif parameter.kind is parameter.VAR_POSITIONAL:
            found.args.extend(value)
        elif parameter.default is parameter.empty or (symbolic_leaves(value) and name not in optional):
            found.args.append(value)
        elif name in optional:
            found.kwargs[name] = value
        elif isinstance(value, np.ndarray) or value != parameter.default:
            problem = f"Keras' {operation.class_name} has no argument {name!r}"
            raise ModelFileError(problem, layer=operation.name, expected=parameter.default, got=value)
    return found
