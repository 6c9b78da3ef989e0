"""Things that configurations name: a string, a dictionary or the thing itself, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nb3d.engine import sharing
from nb3d.engine.names import to_snake_case
from nb3d.engine.registry import Registry, custom_object_scope, registered_name

_FUNCTION = "function"  # what Keras 3 writes as class_name of a plain function
_PLAIN = (bool, int, float, str)


class Identifiers(Registry):
    """A registry of functions and classes that arguments of layers may name.

    Args:
        kind: What the things are, for messages: ``"initializer"``.
    """

    def register_class(self, *names: str) -> Any:
        """Decorator that enters a class under its own name, that name in snake case, and others."""

        def decorate(thing: type) -> type:
            self.register(to_snake_case(thing.__name__), *names)(thing)
            return thing

        return decorate

    def get(self, identifier: Any) -> Any:
        """The thing that an argument means.

        Args:
            identifier: A name, a ``{"class_name", "config"}`` dictionary, a class, a callable, or ``None``.

        Returns:
            A callable; ``None`` for ``None``.

        Raises:
            ValueError: If there is no such thing.
        """
        if identifier is None:
            return None
        if isinstance(identifier, Mapping):
            return self.deserialize(identifier)
        thing = self[identifier] if isinstance(identifier, str) else identifier
        if isinstance(thing, type):
            thing = thing()
        if not callable(thing):
            raise ValueError(
                f"Could not interpret {self.kind} identifier: expected a name, a config or a callable, got {thing!r}."
            )
        return thing

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The thing that `serialize`, or Keras, wrote down.

        Args:
            config: A name or a dictionary.
            custom_objects: Further names.

        Raises:
            ValueError: If there is no such thing, or its configuration does not fit.
        """
        with custom_object_scope(custom_objects):
            if not isinstance(config, Mapping):
                return self.get(config)
            if "class_name" not in config:
                raise ValueError(f"The config of the {self.kind} needs a 'class_name', got {dict(config)!r}.")
            name, inner = config["class_name"], config.get("config")
            if name == _FUNCTION:
                name = inner
            registered = config.get("registered_name")  # Keras 3 keeps it beside the name of a custom object
            thing = self[registered] if isinstance(registered, str) and registered in self else self[name]
            return self._instance(thing, name, inner or {})

    def _instance(self, thing: Any, name: Any, config: Mapping[str, Any]) -> Any:
        if not isinstance(thing, type):
            return thing
        try:
            from_config = getattr(thing, "from_config", None)
            return from_config(dict(config)) if from_config else thing(**config)
        except TypeError as error:
            raise ValueError(f"The config of {self.kind} {name!r} does not fit: {error}; got {dict(config)}") from error

    def serialize(self, thing: Any) -> Any:
        """What `deserialize` makes `thing` from again."""
        return serialize_value(thing)


def serialize_value(value: Any) -> Any:
    """A value as it stands in a configuration.

    Plain values, and lists and tuples of them, stay as they are; objects become ``{"class_name", "config"}``; functions
    their name.

    Raises:
        ValueError: If `value` is an object without ``get_config`` and without a name.
    """
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, list | tuple):
        return type(value)(serialize_value(item) for item in value)
    if hasattr(value, "get_config"):
        return {"class_name": class_name_of(type(value)), "config": value.get_config(), **sharing.mark(value)}
    name = registered_name(value) or getattr(value, "__name__", None)
    if name is None:
        raise ValueError(
            f"{type(value).__name__} cannot be stored in a configuration: it has neither get_config nor a name."
        )
    return name


def class_name_of(cls: type) -> str:
    """The name under which a class stands in configurations."""
    return registered_name(cls) or cls.__name__


class Configured:
    """An object that its arguments describe, each kept as an attribute of the same name."""

    config_fields: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """The arguments from which `from_config` makes the same object."""
        return {field: serialize_value(getattr(self, field)) for field in self.config_fields}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The object that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{field}={getattr(self, field)!r}" for field in self.config_fields)
        return f"{type(self).__name__}({arguments})"
