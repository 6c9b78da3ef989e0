"""Layers that several networks or wrappers of a model share: a configuration says so, and rebuilding gives one again.

Keras 3 writes the same key, ``shared_object_id``.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KEY = "shared_object_id"


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.written: dict[int, int] | None = None  # id of a shared layer -> its number
        self.made: dict[int, Any] | None = None  # number -> the layer made for it


_scopes = _Scopes()


def _held(holder: Any, seen: set[int]) -> Iterator[Any]:
    """Every layer inside a layer, at any depth, once for each that holds it."""
    seen.add(id(holder))
    for layer in holder._inner_layers():
        yield layer
        if id(layer) not in seen:
            yield from _held(layer, seen)


@contextmanager
def writing(network: Any) -> Iterator[None]:
    """Numbers the layers that more than one network or wrapper in `network` holds; the outermost call decides."""
    outermost = _scopes.written is None
    if outermost:
        counts = Counter(id(layer) for layer in _held(network, set()))
        shared = [layer for layer, count in counts.items() if count > 1]
        _scopes.written = {layer: number for number, layer in enumerate(shared)}
    try:
        yield
    finally:
        if outermost:
            _scopes.written = None


def mark(layer: Any) -> dict[str, int]:
    """What an entry of a configuration says of sharing: nothing for most layers."""
    number = (_scopes.written or {}).get(id(layer))
    return {} if number is None else {KEY: number}


@contextmanager
def reading() -> Iterator[None]:
    """Inside the block, entries with one number give one layer; the outermost block decides."""
    outermost = _scopes.made is None
    if outermost:
        _scopes.made = {}
    try:
        yield
    finally:
        if outermost:
            _scopes.made = None


def known(number: Any) -> Any:
    """The layer made for a number, or ``None``."""
    return None if number is None or _scopes.made is None else _scopes.made.get(number)


def remember(number: Any, layer: Any) -> None:
    """Notes the layer made for a number."""
    if number is not None and _scopes.made is not None:
        _scopes.made[number] = layer
