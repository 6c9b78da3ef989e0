"""Names that may stand in configurations, and nothing else: closed registries and the caller's custom objects."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

Thing = TypeVar("Thing")

_registered: dict[str, Any] = {}


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.stack: list[Mapping[str, Any]] = []


_scopes = _Scopes()


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Inside the block the names of `custom_objects` may stand in configurations, before nb3d's own.

    Raises:
        TypeError: If they are no mapping of names to classes and functions.

    Example:
        >>> import nb3d
        >>> with nb3d.saving.custom_object_scope({"double": lambda x: 2 * x}):
        ...     layer = nb3d.layers.Activation("double")
    """
    if not isinstance(custom_objects, Mapping | None):
        raise TypeError(f"custom_objects must be a mapping of names to classes and functions, got {custom_objects!r}.")
    _scopes.stack.append(custom_objects or {})
    try:
        yield
    finally:
        _scopes.stack.pop()


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Thing], Thing]:
    """Decorator that lets a class or function stand in configurations, under ``package>name`` and its plain name.

    Args:
        package: Name of the project.
        name: Name of the object; its own where absent.
    """

    def decorate(thing: Thing) -> Thing:
        plain = name or str(getattr(thing, "__name__", thing))
        _registered[f"{package}>{plain}"] = thing
        _registered[plain] = thing
        return thing

    return decorate


def registered_name(thing: Any) -> str | None:
    """The ``package>name`` under which `thing` was registered, or ``None``."""
    return next((name for name, other in _registered.items() if other is thing and ">" in name), None)


def custom_object(name: str) -> Any:
    """What the caller registered under `name`, innermost scope first, or ``None``."""
    for scope in [*reversed(_scopes.stack), _registered]:
        if name in scope:
            return scope[name]
    return None


class Registry:
    """The names of one kind of thing.

    Args:
        kind: What the things are, for messages: ``"layer"``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, Any] = {}

    def register(self, *names: str) -> Callable[[Thing], Thing]:
        """Decorator that enters a thing under its own name and others."""

        def decorate(thing: Thing) -> Thing:
            for name in (getattr(thing, "__name__", None), *names):
                if name is not None:
                    self._things[name] = thing
            return thing

        return decorate

    def __getitem__(self, name: str) -> Any:
        """The thing of that name, custom objects first.

        Raises:
            ValueError: If there is none.
        """
        found = custom_object(name) if isinstance(name, str) else None
        if found is None and isinstance(name, str):
            found = self._things.get(name)
        if found is None:
            raise ValueError(
                f"Unknown {self.kind}: {name!r}. Pass it as custom_objects={{{name!r}: ...}}, or register it with "
                "@nb3d.saving.register_keras_serializable()."
            )
        return found

    def __contains__(self, name: str) -> bool:
        return custom_object(name) is not None or name in self._things

    def things(self) -> set[Any]:
        """Everything that has a name here, custom objects left out."""
        return set(self._things.values())

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._things)
