"""Which argument of a layer's ``call`` is which: for layers that take several tensors as arguments of their own.

As in Keras 3, ``build(query_shape, value_shape)`` gets the shapes of the arguments ``query`` and ``value`` of ``call``,
and an argument ``query_mask`` the mask of ``query``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from nb3d.engine.shapes import shapes_of

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@functools.lru_cache(maxsize=1024)
def parameters(method: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a method's parameters, without ``self``."""
    found = inspect.signature(method).parameters.values()
    return tuple(item.name for item in found if item.kind in _NAMED)[1:]


def by_name(call: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, those alone that are given."""
    return {**dict(zip(parameters(call), args, strict=False)), **kwargs}


def build_arguments(
    build: Callable[..., Any], call: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """What ``build`` is called with: the shape of the first argument, or shapes of several where it names several."""
    names = parameters(build)
    if len(names) < 2:
        return {names[0] if names else "": shapes_of(args[0])}
    given = by_name(call, args, kwargs)
    tensors = {name: given.get(name.removesuffix("_shape")) for name in names if name.endswith("_shape")}
    return {name: shapes_of(value) for name, value in tensors.items() if value is not None}


def mask_arguments(
    call: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    mask_of: Callable[[Any], Any],
) -> dict[str, Any]:
    """The masks of tensors that ``call`` takes under names of their own, where they are not given already."""
    given = by_name(call, args, kwargs)
    wanted = {f"{name}_mask": value for name, value in given.items() if f"{name}_mask" in parameters(call)}
    masks = {name: mask_of(value) for name, value in wanted.items() if name not in given}
    return {name: mask for name, mask in masks.items() if mask is not None}
