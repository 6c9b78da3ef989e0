"""Nested lists, tuples and dicts of tensors: flatten them, map over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def leaves(structure: Any) -> Iterator[Any]:
    """Everything in `structure` that is not a list, tuple or dict, in order."""
    if isinstance(structure, list | tuple):
        for item in structure:
            yield from leaves(item)
    elif isinstance(structure, dict):
        for item in structure.values():
            yield from leaves(item)
    else:
        yield structure


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """A structure of the same form with `function` of every leaf."""
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(map_structure(function, item) for item in structure))
    if isinstance(structure, list | tuple):
        return type(structure)(map_structure(function, item) for item in structure)
    if isinstance(structure, dict):
        return {key: map_structure(function, item) for key, item in structure.items()}
    return function(structure)


def to_list(value: Any) -> list[Any]:
    """`value` as a list: itself if it is a list or tuple, a list of it alone otherwise."""
    return list(value) if isinstance(value, list | tuple) else [value]


def unwrap(values: list[Any]) -> Any:
    """The element of a list of one, the list otherwise."""
    return values[0] if len(values) == 1 else values
