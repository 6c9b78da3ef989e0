"""Keras' table of layers, which never cuts a shape off."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from nb3d.engine.network import Network

_TITLES = ("Layer (type)", "Output Shape", "Param #", "Connected to")


def _shape(layer: Any) -> str:
    nodes = layer._inbound_nodes
    if not nodes:
        return "?"
    shapes = list(dict.fromkeys(tuple(node.output_shapes) for node in nodes))
    return ", ".join(str(shape) for shapes_of_node in shapes for shape in shapes_of_node)


def _connections(layer: Any, owned: set[int]) -> list[str]:
    """What each call takes: ``layer[call][output]``, one entry per tensor."""
    return [
        f"{source.name}[{node_index}][{tensor_index}]"
        for node in layer._inbound_nodes
        if id(node) in owned
        for source, node_index, tensor_index in zip(
            node.inbound_layers, node.node_indices, node.tensor_indices, strict=True
        )
    ]


def _parameters(layer: Any) -> int:
    return sum(variable.size for variable in getattr(layer, "weights", []))


def _type(layer: Any) -> str:
    return getattr(layer, "class_name", type(layer).__name__)


def _rows(model: Any, expand: bool, show_trainable: bool, indent: str = "") -> list[tuple[str, ...]]:
    owned = {id(node) for node in model.nodes} if getattr(model, "built", False) else set()
    operations = model.operations if owned and not hasattr(model, "_chain") else model.layers
    rows = []
    for layer in operations:
        trainable = ("Y" if getattr(layer, "trainable", False) else "N",) if show_trainable else ()
        row = (f"{indent}{layer.name} ({_type(layer)})", _shape(layer), f"{_parameters(layer):,}", *trainable)
        connections = _connections(layer, owned) or ["-"]
        rows.append((*row, connections[0]))
        rows += [("",) * len(row) + (other,) for other in connections[1:]]
        if expand and isinstance(layer, Network):
            rows += _rows(layer, expand, show_trainable, indent + "  ")
    return rows


def print_summary(
    model: Any,
    line_length: int | None = None,
    print_fn: Callable[[str], Any] = print,
    expand_nested: bool = False,
    show_trainable: bool = False,
) -> None:
    """Prints a model's layers: output shapes, parameters, and what each is connected to.

    Args:
        model: The model.
        line_length: Width of the rules; as wide as the content where absent.
        print_fn: Called with every line.
        expand_nested: Whether to list the layers of models inside the model.
        show_trainable: Whether to say of each layer if it is trainable.
    """
    titles = (*_TITLES[:3], "Trainable", _TITLES[3]) if show_trainable else _TITLES
    rows = _rows(model, expand_nested, show_trainable)
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles))]
    numeric = titles.index("Param #")

    def line(row: tuple[str, ...]) -> str:
        cells = (
            cell.rjust(width) if column == numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    rule = "=" * max(line_length or 0, sum(widths) + 2 * (len(widths) - 1))
    print_fn(f'Model: "{model.name}"')
    for text in (rule, line(titles), rule, *map(line, rows), rule):
        print_fn(text)
    if not getattr(model, "built", False):
        print_fn("The model is not built yet: its input shape is unknown.")
    trainable, frozen = (
        sum(prod(variable.shape) for variable in variables)
        for variables in (model.trainable_weights, model.non_trainable_weights)
    )
    print_fn(f"Total params: {trainable + frozen:,}")
    print_fn(f"Trainable params: {trainable:,}")
    print_fn(f"Non-trainable params: {frozen:,}")
