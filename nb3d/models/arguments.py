"""Arguments of recorded calls as JSON, in the form that Keras 3 writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nb3d.engine.dtypes import dtype_name
from nb3d.engine.tensor import KerasTensor

Reference = list[Any]  # [layer name, node index, tensor index]

TAGS = ("__keras_tensor__", "__slice__", "__ellipsis__", "__numpy__", "__tensor__")


def encode(value: Any, reference: Callable[[KerasTensor], Reference]) -> Any:
    """`value` as JSON; `reference` says how a tensor is named.

    Raises:
        TypeError: If it holds something that JSON cannot.
    """
    if isinstance(value, KerasTensor):
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": reference(value)}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, list | tuple):
        return [encode(item, reference) for item in value]
    if isinstance(value, dict):
        return {str(key): encode(item, reference) for key, item in value.items()}
    if isinstance(value, slice):
        parts = {"start": value.start, "stop": value.stop, "step": value.step}
        return {"class_name": "__slice__", "config": encode(parts, reference)}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} cannot stand in a configuration")


def decode(value: Any, tensor_at: Callable[[Reference], Any]) -> Any:
    """What `encode` encoded; `tensor_at` finds the tensor of a reference.

    Raises:
        ValueError: If a tagged value is none that Keras writes.
    """
    if isinstance(value, list):
        return [decode(item, tensor_at) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"class_name", "config"} and isinstance(value["class_name"], str):
        return _decode_tagged(value["class_name"], value["config"], tensor_at)
    return {key: decode(item, tensor_at) for key, item in value.items()}


def _decode_tagged(tag: str, config: Any, tensor_at: Callable[[Reference], Any]) -> Any:
    if tag == "__keras_tensor__":
        return tensor_at(config["keras_history"])
    if tag == "__slice__":
        parts = [config[part] for part in ("start", "stop", "step")]
        if any(part is not None and type(part) is not int for part in parts):
            raise ValueError(f"a slice goes from integer to integer, got {parts!r:.80}")
        return slice(*parts)
    if tag == "__ellipsis__":
        return Ellipsis
    if tag in ("__numpy__", "__tensor__"):
        return np.asarray(config["value"], dtype=dtype_name(config["dtype"]))
    raise ValueError(f"an argument is tagged {tag!r}, which nb3d does not read")


def tagged(value: Any) -> Any:
    """An argument as Keras 3 writes it, from one of Keras 2, where ``[layer, node, tensor]`` is a tensor."""
    if isinstance(value, Mapping):
        return {key: tagged(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) == 3 and isinstance(value[0], str) and all(type(number) is int for number in value[1:]):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": value}}
    return [tagged(item) for item in value]


def references(value: Any) -> list[Reference]:
    """The references to tensors inside an encoded value."""
    found: list[Reference] = []

    def note(reference: Reference) -> None:
        found.append(reference)

    decode(value, note)
    return found
