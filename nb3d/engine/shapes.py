"""Shapes of nested tensors, and tensors of nested shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def shapes_of(structure: Any) -> Any:
    """Shapes of a structure of tensors: one tuple, or a list of them."""
    if isinstance(structure, list | tuple):
        return [shapes_of(item) for item in structure]
    if isinstance(structure, dict):
        return {key: shapes_of(item) for key, item in structure.items()}
    return tuple(structure.shape)


def map_shapes(function: Callable[[Any], Any], shapes: Any) -> Any:
    """`function` of one shape, or of each in a list."""
    shapes = list(shapes) if isinstance(shapes, tuple) and shapes and isinstance(shapes[0], list | tuple) else shapes
    if isinstance(shapes, list) and (not shapes or isinstance(shapes[0], list | tuple)):
        return [map_shapes(function, shape) for shape in shapes]
    if isinstance(shapes, dict):
        return {key: map_shapes(function, shape) for key, shape in shapes.items()}
    return function(tuple(shapes))


# Arguments of a layer that say what a Sequential, whose first layer it is, begins with.
FIRST_LAYER_KEYWORDS = ("input_shape", "batch_input_shape", "batch_size")


def first_layer_shape(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """The input shape that a layer's `batch_input_shape`, or `input_shape` and `batch_size`, give; else ``None``."""
    if kwargs.get("batch_input_shape") is not None:
        return tuple(kwargs["batch_input_shape"])
    if kwargs.get("input_shape") is not None:
        return (kwargs.get("batch_size"), *kwargs["input_shape"])
    return None
