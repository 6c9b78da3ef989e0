"""What a model's configuration must look like: checked as a whole before anything is built from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from nb3d.engine import sharing
from nb3d.engine.network import Network
from nb3d.engine.registry import custom_object
from nb3d.layers.lambda_layer import HOW_TO_REPLACE
from nb3d.layers.registry import LAYERS
from nb3d.layers.unknown import class_of
from nb3d.models.arguments import TAGS
from nb3d.models.parsing import everything_in
from nb3d.ops.operation import OPERATIONS

MAX_NAME = 512  # characters


def check_configuration(config: Any) -> None:
    """Checks ``{'class_name', 'config'}`` of a model and of everything inside it.

    Layers and operations must be known or be custom objects, names of layers unique, and references must name layers
    that are there. What arguments a layer takes is the layer's own affair.

    Raises:
        ValueError: If something is missing, of a wrong type or unknown; the message names the layer.
    """
    _check_code(config)
    _check_entry(config, "the model")


def unknown_classes(config: Any) -> dict[str, list[str]]:
    """The classes of layers in a configuration that are neither nb3d's nor custom objects, each with its layers' names.

    Entries that are none are passed over: `check_configuration` tells them.
    """
    found: dict[str, list[str]] = {}
    waiting = [config]
    while waiting:
        entry = waiting.pop(0)
        if not isinstance(entry, Mapping) or not isinstance(entry.get("class_name"), str):
            continue
        inner = entry.get("config")
        values = inner if isinstance(inner, Mapping) else {"layers": inner}
        if not (isinstance(inner, Mapping) and is_operation(entry)):
            class_name = entry["class_name"]
            if custom_object(str(entry.get("registered_name") or "")) is None and class_name not in LAYERS:
                found.setdefault(class_name, []).append(str(entry.get("name") or values.get("name")))
        layers = values.get("layers")
        waiting += [values.get("layer"), *(layers if isinstance(layers, list) else [])]
    return found


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Whether an entry is an operation of `keras.ops`; some, as Add, share their name with a layer.

    An ``.h5`` file says no modules: there it is what Keras 3 calls, and is not `trainable`, as its layers are. Nor
    do nb3d's own configurations: there it has nothing but its name.
    """
    module = entry.get("module") or ""
    if entry["class_name"] not in OPERATIONS:
        return False
    if module or "trainable" in entry["config"]:
        return module.startswith("keras.src.ops")
    calls = entry.get("inbound_nodes")
    called = isinstance(calls, list | tuple) and any(isinstance(call, Mapping) for call in calls)
    return called or set(entry["config"]) == {"name"}


def name_of(entry: Mapping[str, Any]) -> str:
    """The name of a layer, from its entry.

    Raises:
        ValueError: If it has none, or none that could be printed.
    """
    config = entry["config"]
    name = entry.get("name") or (config.get("name") if isinstance(config, Mapping) else None)
    if not isinstance(name, str) or not name.isprintable() or len(name) > MAX_NAME:
        raise ValueError(f"A layer of class {entry['class_name']!r} needs a name, got {name!r:.80}.")
    return name


def _check_entry(entry: Any, where: str) -> None:
    """One model, layer or operation, and what is inside it."""
    if not isinstance(entry, Mapping):
        raise ValueError(f"{where}: expected an object with 'class_name' and 'config', got {entry!r:.80}.")
    class_name, config = entry.get("class_name"), entry.get("config")
    if not isinstance(class_name, str):
        raise ValueError(f"{where}: expected a 'class_name', got {class_name!r:.80}.")
    if not isinstance(config, Mapping | list):
        raise ValueError(f"{where} ({class_name}): expected a 'config', got {config!r:.80}.")
    for key, kind in (("module", str), ("registered_name", str), (sharing.KEY, int)):
        if not isinstance(entry.get(key), kind | None):
            raise ValueError(f"{where} ({class_name}): the {key!r} is {entry[key]!r:.80}.")
    if isinstance(config, Mapping) and is_operation(entry):
        return
    cls = class_of(entry, where)
    if isinstance(cls, type) and issubclass(cls, Network):
        _check_layers(config if isinstance(config, list) else config.get("layers"), where, config)
    elif not isinstance(config, Mapping):
        raise ValueError(f"{where} ({class_name}): expected an object as 'config', got {config!r:.80}.")
    elif isinstance(config.get("layer"), Mapping):  # what a wrapper wraps
        _check_entry(config["layer"], f"{where}, its layer")


def _check_layers(entries: Any, where: str, config: Any) -> None:
    """The layers of a model, and its ends where it is a graph; the configuration of a chain may be a bare list."""
    if not isinstance(entries, list | tuple) or not entries:
        raise ValueError(f"{where}: expected a list of layers, got {entries!r:.80}.")
    names: set[str] = set()
    for position, entry in enumerate(entries):
        _check_entry(entry, _label(entry, position))
        name = f"#{position}" if isinstance(entry["config"], list) else name_of(entry)
        if name in names:
            raise ValueError(f"{where}: two layers are called {name!r}.")
        names.add(name)
    if isinstance(config, list) or "input_layers" not in config:
        return
    for entry in entries:
        for reference in _inbound(entry):
            _check_reference(reference, names, f"layer {name_of(entry)!r}")
    for key in ("input_layers", "output_layers"):
        for reference in _ends(config.get(key), where, key):
            _check_reference(reference, names, f"{where}, {key}")


def _label(entry: Any, position: int) -> str:
    config = entry.get("config") if isinstance(entry, Mapping) else None
    name = entry.get("name") or (config.get("name") if isinstance(config, Mapping) else None) if config else None
    return f"layer {name!r:.80}" if name else f"layer {position}"


def _inbound(entry: Mapping[str, Any]) -> Iterator[Any]:
    """The references in the calls of a layer."""
    label = f"layer {name_of(entry)!r}"
    nodes = entry.get("inbound_nodes", [])
    if not isinstance(nodes, list | tuple):
        raise ValueError(f"{label}: expected a list 'inbound_nodes', got {nodes!r:.80}.")
    for node in nodes:
        if isinstance(node, Mapping):
            if not isinstance(node.get("args"), list | tuple) or not isinstance(node.get("kwargs"), Mapping):
                raise ValueError(f"{label}: expected a call as 'args' and 'kwargs', got {node!r:.80}.")
            yield from _tensors(node)
        elif isinstance(node, list | tuple):
            yield from node
            yield from (tensor for item in node if isinstance(item, list | tuple) for tensor in _tensors(item[3:]))
        else:
            raise ValueError(f"{label}: expected a call as a list or an object, got {node!r:.80}.")


def _tensors(value: Any) -> Iterator[Any]:
    """The references in the arguments of a call."""
    for item in everything_in(value):
        if isinstance(item, Mapping) and item.get("class_name") == "__keras_tensor__":
            config = item.get("config")
            yield config.get("keras_history") if isinstance(config, Mapping) else None


def _ends(references: Any, where: str, key: str) -> list[Any]:
    """The references of ``input_layers`` or ``output_layers``: one, a list of them, or an object."""
    if isinstance(references, Mapping):
        return list(references.values())
    if not isinstance(references, list | tuple) or not references:
        raise ValueError(f"{where}: expected {key!r}, got {references!r:.80}.")
    return [references] if isinstance(references[0], str) else list(references)


def _check_reference(reference: Any, names: Collection[str], where: str) -> None:
    whole = isinstance(reference, list | tuple) and len(reference) >= 3 and isinstance(reference[0], str)
    if not whole or any(type(number) is not int or number < 0 for number in reference[1:3]):
        raise ValueError(f"{where}: expected a reference [layer, node, tensor], got {reference!r:.80}.")
    if reference[0] not in names:
        raise ValueError(f"{where} refers to the layer {reference[0]!r:.80}, which does not exist.")


def _check_code(config: Any) -> None:
    """Nothing that stands for Python code, and no tagged value that nb3d does not read, anywhere."""
    for item in everything_in(config):
        tag = item.get("class_name") if isinstance(item, Mapping) else None
        if tag == "__lambda__" or (tag == "Lambda" and _holds_code(item.get("config"))):
            raise ValueError(f"The configuration holds a Python lambda. {HOW_TO_REPLACE}")
        if isinstance(tag, str) and tag.startswith("__") and tag not in TAGS:
            raise ValueError(f"The configuration holds a value tagged {tag!r:.80}, which nb3d does not read.")


def _holds_code(config: Any) -> bool:
    """Whether a Lambda's function is what Keras 2 makes of code: ``[marshalled bytes, defaults, closure]``."""
    return isinstance(config, Mapping) and any(
        isinstance(config.get(key), list) or config.get(f"{key}_type") == "lambda" for key in ("function", "mask")
    )
