"""A model's configuration as Keras 3.15 writes it into ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nb3d.activations import ACTIVATIONS
from nb3d.constraints import CONSTRAINTS
from nb3d.engine import sharing
from nb3d.engine.identifiers import serialize_value
from nb3d.engine.layer import BaseLayer
from nb3d.engine.network import Network
from nb3d.engine.node import Node
from nb3d.engine.operation import Operation
from nb3d.engine.registry import Registry, registered_name
from nb3d.engine.structure import map_structure
from nb3d.engine.tensor import KerasTensor
from nb3d.initializers import INITIALIZERS
from nb3d.layers import InputLayer
from nb3d.layers.registry import LAYERS
from nb3d.models.arguments import Reference, encode
from nb3d.models.describe import Numbering, storable_kwargs
from nb3d.models.model import Model
from nb3d.models.sequential import Sequential
from nb3d.regularizers import REGULARIZERS
from nb3d.saving import layout
from nb3d.saving.errors import ModelFileError
from nb3d.saving.operations import module_of, split_arguments

Json = dict[str, Any]

# End of an argument's name -> what it may hold, and where Keras keeps it. Layers are last: they stand anywhere.
_KINDS: tuple[tuple[str, Registry, str], ...] = (
    ("_initializer", INITIALIZERS, "keras.initializers"),
    ("_regularizer", REGULARIZERS, "keras.regularizers"),
    ("_constraint", CONSTRAINTS, "keras.constraints"),
    ("", LAYERS, "keras.layers"),
)


def configuration(model: Model) -> Json:
    """The content of ``config.json``.

    Raises:
        ModelFileError: If something in the model cannot be stored; the message names the layer.
    """
    with sharing.writing(model):
        return _entry(model)


def legacy_configuration(model: Model) -> Json:
    """The content of ``model_config`` in an ``.h5`` file: the same, without modules.

    Raises:
        ModelFileError: If something in the model cannot be stored; the message names the layer.
    """
    whole = _without_modules(configuration(model))
    return {key: whole[key] for key in ("class_name", "config")}


def _without_modules(entry: Json) -> Json:
    """An entry without what tells an operation from a layer of the same name."""
    if str(entry.get("module")).startswith("keras.src.ops"):
        name = entry["config"]["name"]
        raise ModelFileError("an .h5 file cannot hold operations; a .keras file can", layer=name)
    kept = {key: value for key, value in entry.items() if key not in ("module", "registered_name", "build_config")}
    if ">" in (entry.get("registered_name") or ""):
        kept["class_name"] = entry["registered_name"]
    config = kept["config"]
    if isinstance(config, dict) and isinstance(config.get("layers"), list):
        kept["config"] = {**config, "layers": [_without_modules(layer) for layer in config["layers"]]}
    return kept


def _entry(layer: Any) -> Json:
    """``module``, ``class_name``, ``config`` and so on of a layer or model."""
    if isinstance(layer, Sequential):
        config = {
            "name": layer.name,
            "trainable": layer.trainable,
            "dtype": _policy(layer.dtype),
            "layers": [_entry(item) for item in layer._chain],
        }
        shape = list(layer.inputs[0].shape) if layer.built else None
        built = {"build_input_shape": shape} if shape else {}
        return _made(layer, "keras", "Sequential", {**config, **built}, {"input_shape": shape})
    if isinstance(layer, Model):
        entry = _made(layer, "keras.src.models.functional", "Functional", _functional(layer), {"input_shape": None})
        return {**entry, "registered_name": entry["registered_name"] or "Functional"}
    if isinstance(layer, InputLayer):
        config = {
            "batch_shape": list(layer.batch_shape),
            "dtype": layer.dtype,
            "sparse": False,
            "ragged": False,
            "name": layer.name,
            "optional": False,
        }
        return _made(layer, "keras.layers", "InputLayer", config)
    return _made(layer, "keras.layers", type(layer).__name__, _arguments(layer), _build_config(layer))


def _made(layer: Any, module: str, class_name: str, config: Json, build_config: Json | None = None) -> Json:
    """An entry; a class of the user's own stands under its own module and registered name."""
    cls, registered = type(layer), None
    if cls not in LAYERS.things():
        module, class_name = cls.__module__, layout.class_name(layer)
        registered = registered_name(cls) or class_name
    built = {} if build_config is None else {"build_config": build_config}
    entry = {"module": module, "class_name": class_name, "config": config, "registered_name": registered}
    return {**entry, **built, **sharing.mark(layer)}


def _build_config(layer: Any) -> Json | None:
    """What the layer was built for, so that Keras can make its weights before it is called."""
    shapes = {name: encode(shape, _no_reference) for name, shape in layer._built_for.items()}
    if len(shapes) > 1:
        return {"shapes_dict": shapes}
    return {"input_shape": next(iter(shapes.values()))} if shapes else None


# -- arguments -----------------------------------------------------------------------------------------------------


def _policy(dtype: str) -> Json:
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype}, "registered_name": None}


def _arguments(layer: Any) -> Json:
    """The configuration of a layer, its dtype, objects and values in Keras 3's words."""
    try:
        config = {key: value for key, value in layer.get_config().items() if key != "batch_input_shape"}
        return {key: _argument(key, value, vars(layer).get(key)) for key, value in config.items()}
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ModelFileError(f"its configuration cannot be stored: {error}", layer=layer.name) from error


def _argument(key: str, value: Any, held: Any) -> Any:
    """An argument as `get_config` tells it; layers that the attribute of its name holds are told in full."""
    if isinstance(held, BaseLayer) and isinstance(value, Mapping):  # what a wrapper wraps, an activation
        return _entry(held)
    if isinstance(held, list | tuple) and isinstance(value, list | tuple) and len(held) == len(value):
        return [_argument("", item, part) for item, part in zip(value, held, strict=True)]
    return _value(key, value)


def _value(key: str, value: Any) -> Any:
    if isinstance(value, BaseLayer):
        return _entry(value)
    if hasattr(value, "get_config"):
        value = serialize_value(value)
    if key == "dtype" and isinstance(value, str):
        return _policy(value)
    if isinstance(value, str) and (key == "function" or (key == "activation" and value not in ACTIVATIONS.names())):
        return _function(value)
    if isinstance(value, Mapping):
        if isinstance(value.get("class_name"), str) and isinstance(value.get("config"), Mapping):
            return _object(key, value)
        return {str(name): _value(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_value("", item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        raise ValueError(f"{key!r} is {value}, which JSON does not have")
    return encode(value, _no_reference)


def _function(name: str) -> Json:
    """A function of the user's own: a reader must have it under the same name."""
    if name == "<lambda>":
        raise ValueError("a function without a name is code, which files do not hold; define it with def")
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def _object(key: str, value: Mapping[str, Any]) -> Json:
    """An initializer, a regularizer, a constraint or a layer that is an argument."""
    name, config = value["class_name"], value["config"]
    module, registered = None, name if ">" in name else None
    for ending, registry, home in _KINDS:
        if module is None and registered is None and key.endswith(ending) and name in registry.names():
            module = home
    return {
        "module": module or "builtins",
        "class_name": name.rpartition(">")[2],
        "config": {key: _value(key, item) for key, item in config.items()},
        "registered_name": registered,
        **{key: value[key] for key in (sharing.KEY,) if key in value},
    }


def _no_reference(tensor: KerasTensor) -> Reference:
    raise TypeError(f"{tensor!r} is no argument that can be stored")


# -- graphs --------------------------------------------------------------------------------------------------------


def _functional(model: Model) -> Json:
    """Layers, their calls, and the ends of the graph.

    Keras counts the calls of a functional model within a model from 1 at the ends of the graph, and everything else
    from 0.
    """
    numbering = Numbering(model, first_of_network=0)

    def end(tensor: KerasTensor) -> Reference:
        operation = tensor._keras_history.operation
        name, node, index = numbering.reference(tensor)
        return [name, node + (isinstance(operation, Network) and operation.numbered_from_one), index]

    layers = []
    for operation in model.operations:
        nodes = numbering.nodes_of(operation)
        if isinstance(operation, Operation):
            entry, calls = _operation(operation, nodes, numbering)
        else:
            entry, calls = _entry(operation), [_call(node, numbering) for node in nodes]
        layers.append({**entry, "name": operation.name, "inbound_nodes": calls})
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": map_structure(end, model._input_structure),
        "output_layers": map_structure(end, model._output_structure),
    }


def _call(node: Node, numbering: Numbering) -> Json:
    try:
        return {"args": encode(node.call_args, numbering.reference), "kwargs": storable_kwargs(node, numbering)}
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"a call of it cannot be stored: {error}", layer=node.outbound_layer.name) from error


def _operation(operation: Operation, nodes: list[Node], numbering: Numbering) -> tuple[Json, list[Json]]:
    """An operation and its calls; in Keras all calls have the arguments of the operation's constructor in common."""
    parts = [split_arguments(operation, node) for node in nodes]
    if any(part.config != parts[0].config for part in parts):
        raise ModelFileError("its calls differ in arguments that Keras stores once", layer=operation.name)
    try:
        config = {"name": operation.name, **encode(parts[0].config, _no_reference)}
        calls = [
            {"args": encode(part.args, numbering.reference), "kwargs": encode(part.kwargs, numbering.reference)}
            for part in parts
        ]
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"an argument of it cannot be stored: {error}", layer=operation.name) from error
    module, name = module_of(operation.class_name, operation.name), operation.class_name
    return {"module": module, "class_name": name, "config": config, "registered_name": name}, calls
