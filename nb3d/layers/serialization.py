"""Layers to configurations and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nb3d.engine import sharing
from nb3d.engine.identifiers import serialize_value
from nb3d.engine.layer import BaseLayer
from nb3d.engine.registry import custom_object_scope
from nb3d.layers.registry import LAYERS
from nb3d.layers.translation import IMPLIED, plain_dtype, translate
from nb3d.layers.unknown import class_of


def serialize(layer: BaseLayer) -> dict[str, Any]:
    """The class and the configuration of a layer.

    Example:
        >>> import nb3d
        >>> nb3d.layers.serialize(nb3d.layers.Activation("relu", name="a"))["class_name"]
        'Activation'
    """
    described: dict[str, Any] = serialize_value(layer)
    return described


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer that `serialize`, or Keras 2 or 3, described: the same name, not built, not connected.

    Names become classes by look-up among nb3d's layers and the caller's custom objects, and in no other way. Where the
    layer is one that several parts of a model share, it is the same object for all of them.

    Args:
        config: ``{"class_name", "config"}``, and what else Keras writes beside them.
        custom_objects: Further layers, functions and so on, by name.

    Raises:
        ValueError: If the layer, or an argument of it, is unknown or does not fit.

    Example:
        >>> import nb3d
        >>> nb3d.layers.deserialize({"class_name": "UpSampling3D", "config": {"name": "up", "size": [2, 2, 2]}})
        <UpSampling3D name=up, built=False>
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("class_name"), str):
        raise ValueError(f"The config of a layer must be a dictionary with a 'class_name', got {config!r}.")
    class_name, values = config["class_name"], config.get("config") or {}
    if isinstance(values, list):  # Keras 2.0 to 2.2 wrote a Sequential as the bare list of its layers
        values = {"layers": values}
    if not isinstance(values, Mapping):
        raise ValueError(f"The config of a {class_name} must be a dictionary, got {values!r}.")
    with custom_object_scope(custom_objects), sharing.reading():
        known = sharing.known(config.get(sharing.KEY))
        if known is not None:
            return known
        where = f"Layer {values.get('name')!r} ({class_name})"
        cls = class_of(config, where)
        if not (isinstance(cls, type) and issubclass(cls, BaseLayer)):
            raise ValueError(f"{class_name!r} is no layer, but {cls!r}.")
        try:
            layer = cls.from_config(_readable(cls, {**values, **IMPLIED.get(class_name, {})}))
            layer._class_name = class_name.rpartition(">")[2]  # the file counts weights by it
            sharing.remember(config.get(sharing.KEY), layer)
            return layer
        except (TypeError, ValueError) as error:
            text = str(error)
            raise ValueError(text if text.startswith("Layer ") else f"{where}: {text}") from error


def _readable(cls: type[BaseLayer], values: dict[str, Any]) -> dict[str, Any]:
    """A configuration in the words of nb3d; a class that reads its configuration itself knows its own."""
    if cls in LAYERS.things() and cls.from_config.__func__ is BaseLayer.from_config.__func__:  # type: ignore[attr-defined]
        activation = values.get("activation")
        if isinstance(activation, Mapping) and str(activation.get("class_name")) in LAYERS:  # such as LeakyReLU
            values["activation"] = deserialize(activation)
        return translate(cls, values)
    return plain_dtype(values)
