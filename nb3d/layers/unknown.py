"""From an entry of a configuration to the class of its layer, and what to do where there is none."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import Any

from nb3d.engine.registry import custom_object
from nb3d.layers.refused import REFUSED
from nb3d.layers.registry import LAYERS

_OF_EVERY_LAYER = frozenset({"name", "trainable", "dtype", "batch_input_shape", "input_shape", "activity_regularizer"})
_MOST_ARGUMENTS = 12  # of a skeleton


def class_of(entry: Mapping[str, Any], where: str) -> Any:
    """The class that an entry names: a custom object, or one of nb3d's layers.

    Args:
        entry: ``{"class_name", "config", ...}``.
        where: What the entry is, for the message: ``"layer 'gate'"``.

    Raises:
        ValueError: If there is none. The message says why, or shows the class that has to be written.
    """
    registered = entry.get("registered_name")
    found = custom_object(registered) if isinstance(registered, str) else None
    class_name = entry["class_name"]
    if found is not None:
        return found
    if class_name in LAYERS:
        return LAYERS[class_name]
    raise ValueError(f"{where}: {_explanation(entry)}")


def _explanation(entry: Mapping[str, Any]) -> str:
    class_name = str(entry["class_name"])
    if class_name in REFUSED:
        return f"nb3d has no {class_name}, for {REFUSED[class_name]}."
    if str(entry.get("module") or "").startswith("keras.src.ops"):
        return (
            f"nb3d has no operation {class_name!r}. Write the function that uses it as a layer of your own, or as "
            "operations that nb3d.ops has."
        )
    return (
        f"Unknown layer: {class_name!r}. Write it, and pass it as custom_objects={{{class_name!r}: ...}} or register "
        f"it:\n\n{skeleton(entry)}"
    )


def skeleton(entry: Mapping[str, Any]) -> str:
    """The class that an unknown entry needs, but for its mathematics.

    Args:
        entry: ``{"class_name", "config", ...}``; its names are used only where they can be names in Python.

    Example:
        >>> from nb3d.layers.unknown import skeleton
        >>> print(skeleton({"class_name": "Gate", "config": {"name": "gate", "filters": 8}}))
        @nb3d.saving.register_keras_serializable("Custom")
        class Gate(nb3d.layers.Layer):
            config_fields = ("filters",)
        <BLANKLINE>
            def __init__(self, filters, **kwargs):
                super().__init__(**kwargs)
                self.filters = filters
        <BLANKLINE>
            def build(self, input_shape):
                ...  # self.add_weight(name=..., shape=...) for every weight, in the order of the original
        <BLANKLINE>
            def call(self, inputs):
                ...  # its mathematics, written with nb3d.ops
    """
    package, _, plain = str(entry.get("registered_name") or entry["class_name"]).rpartition(">")
    config = entry.get("config")
    given = [key for key in config if key not in _OF_EVERY_LAYER] if isinstance(config, Mapping) else []
    names = [name for name in given if _is_name(name)][:_MOST_ARGUMENTS]
    fields = ", ".join(f'"{name}"' for name in names) + ("," if len(names) == 1 else "")
    lines = [
        f'@nb3d.saving.register_keras_serializable("{package if _is_name(package) else "Custom"}")',
        f"class {plain if _is_name(plain) else 'MyLayer'}(nb3d.layers.Layer):",
        *([f"    config_fields = ({fields})", ""] if names else []),
        f"    def __init__(self, {''.join(f'{name}, ' for name in names)}**kwargs):",
        "        super().__init__(**kwargs)",
        *(f"        self.{name} = {name}" for name in names),
        "",
        "    def build(self, input_shape):",
        "        ...  # self.add_weight(name=..., shape=...) for every weight, in the order of the original",
        "",
        "    def call(self, inputs):",
        "        ...  # its mathematics, written with nb3d.ops",
    ]
    return "\n".join(lines)


def _is_name(text: Any) -> bool:
    return isinstance(text, str) and text.isascii() and text.isidentifier() and not keyword.iskeyword(text)
