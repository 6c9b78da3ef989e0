"""Names of layers and scopes: snake case of the class, unique within the graph."""

from __future__ import annotations

import re

from nb3d.engine.contexts import get_default_graph


def to_snake_case(name: str) -> str:
    """``Conv3DTranspose`` -> ``conv3d_transpose``, as Keras 3 writes it."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    name = re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
    return name.lstrip("_") or "layer"


def unique_name(base: str) -> str:
    """`base`, then ``base_1``, ``base_2``, ... within the default graph."""
    counts = get_default_graph().name_counts
    count = counts.get(base, 0)
    counts[base] = count + 1
    return f"{base}_{count}" if count else base


def unique_scope(name: str, taken: set[str]) -> str:
    """Claims `name` among the scopes `taken`, with a suffix where another layer has it already."""
    scope, count = name, 0
    while scope in taken:
        count += 1
        scope = f"{name}_{count}"
    taken.add(scope)
    return scope
