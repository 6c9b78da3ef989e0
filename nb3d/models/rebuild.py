"""From a configuration back to a model, whichever version of Keras wrote it."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nb3d.engine import sharing
from nb3d.engine.network import Network
from nb3d.engine.operation import Operation
from nb3d.engine.registry import custom_object_scope
from nb3d.engine.structure import leaves
from nb3d.layers import InputLayer, deserialize
from nb3d.models.arguments import Reference, decode, references
from nb3d.models.lost_marks import with_lost_marks
from nb3d.models.parsing import parse_json
from nb3d.models.schema import check_configuration, is_operation, name_of
from nb3d.models.versions import in_new_words
from nb3d.ops.operation import OPERATIONS


def model_from_json(text: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model from JSON text, as `Model.to_json` and every Keras write it; weights are fresh.

    Raises:
        ValueError: If the text is no JSON, or no model's configuration.
    """
    try:
        config = parse_json(text)
    except ValueError as error:
        raise ValueError(f"Expected a model's configuration as JSON: {error}.") from error
    return model_from_config(config, custom_objects)


def model_from_config(
    config: Any, custom_objects: Mapping[str, Any] | None = None, *, keras_version: str | None = None
) -> Any:
    """A model from ``{'class_name': 'Functional' | 'Model' | 'Sequential', 'config': ...}``; weights are fresh.

    Args:
        config: The configuration.
        custom_objects: Name -> class or function, for names that nb3d does not know.
        keras_version: Version of Keras that wrote it, which decides what some words mean; where absent the
            configuration may say so itself, and is taken for one of Keras 3 if it does not.

    Raises:
        ValueError: If it is no such configuration, or names something unknown.
    """
    if not isinstance(config, Mapping) or "class_name" not in config or "config" not in config:
        raise ValueError("Expected a model's configuration, a mapping with 'class_name' and 'config'.")
    with custom_object_scope(custom_objects):
        config = with_lost_marks(in_new_words(config, keras_version))
        check_configuration(config)
        with _blaming("The configuration"):
            model = deserialize(config)
    if not isinstance(model, Network):
        raise ValueError(f"Expected the configuration of a model, got that of a {type(model).__name__}.")
    return model


def rebuild(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None, cls: type) -> Any:
    """A functional model from its configuration.

    Layers are made first; then calls are replayed, each as soon as the tensors it takes are there. References count
    calls, so that the numbers of all versions of Keras are understood.

    Args:
        config: ``{'name', 'layers', 'input_layers', 'output_layers'}``.
        custom_objects: Name -> class or function.
        cls: The class of the model.

    Raises:
        ValueError: If an entry is missing, a reference leads nowhere, or a layer is unknown or does not accept its
            arguments; the message names the layer.
    """
    replay = _Replay()
    with custom_object_scope(custom_objects), sharing.reading():
        for entry in config["layers"]:
            replay.add_layer(entry)
    replay.run()
    inputs = replay.ends(config["input_layers"])
    outputs = replay.ends(config["output_layers"])
    model = cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))
    model.arrange(replay.layers)
    return model


@contextmanager
def _blaming(what: str) -> Iterator[None]:
    """Makes a `ValueError` of what goes wrong in the block, with `what` in front unless it names a layer already.

    Values of the wrong kind raise whatever Python has for that.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        text = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        if isinstance(error, ValueError) and "layer '" in text.lower():
            raise
        raise ValueError(f"{what}: {text}") from error


class _Replay:
    """Layers made so far, the results of their calls, and calls that wait for a tensor."""

    def __init__(self) -> None:
        self.layers: dict[str, Any] = {}
        self.results: dict[str, list[list[Any]]] = {}
        self.first_index: dict[str, int] = {}
        self.calls: dict[str, deque[Any]] = {}

    def add_layer(self, entry: Mapping[str, Any]) -> None:
        """Makes a layer, or notes an operation, and queues its calls."""
        name = name_of(entry)
        if name in self.layers:
            raise ValueError(f"Two layers are called {name!r}.")
        layer = _OperationEntry(entry) if is_operation(entry) else _make_layer(name, entry)
        if sharing.KEY in entry and any(layer is other for other in self.layers.values()):
            raise ValueError(f"Layer {name!r} is marked as one that stands in the network already.")
        nodes = entry.get("inbound_nodes", [])
        keras3 = any(isinstance(node, Mapping) for node in nodes)
        self.layers[name] = layer
        self.results[name] = _results_at_birth(layer)
        self.first_index[name] = 1 if isinstance(layer, Network) and not keras3 else 0
        self.calls[name] = deque(nodes)

    def run(self) -> None:
        """Replays all calls: those of a layer in order, and each once the tensors that it takes are there."""
        ready = deque(self.calls)
        waiting: dict[str, list[str]] = {}  # layer -> layers whose next call needs a further call of it
        while ready:
            name = ready.popleft()
            calls = self.calls[name]
            while calls:
                missing = [ref for ref in _node_references(calls[0]) if not self._is_there(ref)]
                if missing:
                    waiting.setdefault(missing[0][0], []).append(name)
                    break
                self._call(name, calls.popleft())
                ready.extend(waiting.pop(name, ()))
        for name, calls in self.calls.items():
            if calls:
                missing = [ref for ref in _node_references(calls[0]) if not self._is_there(ref)]
                raise ValueError(f"Layer {name!r} takes the tensor {missing[0][:3]}, which no layer makes.")

    def _position(self, reference: Reference, first: int | None = None) -> tuple[str, int, int]:
        if not (isinstance(reference, list | tuple) and len(reference) >= 3 and isinstance(reference[0], str)):
            raise ValueError(f"Expected a reference [layer, node, tensor], got {reference!r}.")
        name, node, tensor = reference[:3]
        if name not in self.layers:
            raise ValueError(f"A reference names the layer {name!r}, which does not exist.")
        if not isinstance(node, int) or not isinstance(tensor, int) or node < 0 or tensor < 0:
            raise ValueError(f"Expected a reference [layer, node, tensor], got {reference!r}.")
        first = self.first_index[name] if first is None else first
        return name, max(node - first, 0), tensor

    def _is_there(self, reference: Reference) -> bool:
        name, node, _ = self._position(reference)
        return node < len(self.results[name])

    def _tensor(self, reference: Reference, first: int | None = None) -> Any:
        name, node, tensor = self._position(reference, first)
        if node >= len(self.results[name]) or tensor >= len(self.results[name][node]):
            raise ValueError(f"There is no tensor {list(reference[:3])}: layer {name!r} has fewer calls or outputs.")
        return self.results[name][node][tensor]

    def _call(self, name: str, node: Any) -> None:
        layer = self.layers[name]
        with _blaming(f"Layer {name!r}"):
            args, kwargs = self._arguments(node)
            outputs = layer.call(name, args, kwargs) if isinstance(layer, _OperationEntry) else layer(*args, **kwargs)
        self.results[name].append(list(leaves(outputs)))

    def _arguments(self, node: Any) -> tuple[list[Any], dict[str, Any]]:
        if isinstance(node, Mapping):
            return decode(node["args"], self._tensor), decode(node["kwargs"], self._tensor)
        tensors = [self._tensor(entry) for entry in node]
        kwargs = node[0][3] if node and len(node[0]) > 3 else {}
        return [tensors[0] if len(tensors) == 1 else tensors], decode(dict(kwargs), self._tensor)

    def ends(self, references: Any) -> Any:
        """Tensors of ``input_layers`` or ``output_layers``: one reference, a list of them, or a dict."""
        if isinstance(references, Mapping):
            return {key: self._end(reference) for key, reference in references.items()}
        if len(references) == 3 and isinstance(references[0], str):
            return self._end(references)
        return [self._end(reference) for reference in references]

    def _end(self, reference: Reference) -> Any:
        """Here every version of Keras numbers the calls of a nested functional model from 1."""
        layer = self.layers.get(reference[0])
        counts_from_one = isinstance(layer, Network) and (
            self.first_index[reference[0]] == 1 or layer.numbered_from_one
        )
        return self._tensor(reference, 1 if counts_from_one else 0)


def _results_at_birth(layer: Any) -> list[list[Any]]:
    """What a layer has before it is called here: an InputLayer has its tensor, others at most calls elsewhere."""
    return [list(layer._inbound_nodes[0].output_tensors)] if isinstance(layer, InputLayer) else []


def _node_references(node: Any) -> list[Reference]:
    if isinstance(node, Mapping):
        return references([node.get("args", []), node.get("kwargs", {})])
    return [*node, *(ref for entry in node if len(entry) > 3 for ref in references(entry[3]))]


# Arguments of Keras' operations that nb3d's lack, with the value that changes nothing.
_NEUTRAL = {"decimals": 0, "dtype": None, "initial": None, "keepdims": False}


class _OperationEntry:
    """An operation of a file: its arguments stand in its configuration as well as in its call."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.class_name: str = entry["class_name"]
        self.arguments: dict[str, Any] = {}
        accepted = inspect.signature(OPERATIONS[self.class_name]).parameters
        for key, value in entry["config"].items():
            if key in accepted:
                self.arguments[key] = decode(value, list)
            elif key != "name" and (key not in _NEUTRAL or value != _NEUTRAL[key]):
                where = f"Layer {name_of(entry)!r} ({self.class_name})"
                raise ValueError(f"{where}: unknown argument {key!r} with the value {value!r:.80}.")

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """The operation's result; a node of the graph, under the name it has in the file."""
        if self.class_name == "GetItem":  # JSON knows no tuples
            args = [args[0], *(tuple(key) if isinstance(key, list) else key for key in args[1:])]
        function = OPERATIONS[self.class_name]
        named = {**self.arguments, **kwargs}
        parameters = inspect.signature(function).parameters.values()
        if any(item.kind is item.VAR_POSITIONAL for item in parameters):  # what the configuration has stands first
            first = [named.pop(item.name) for item in parameters if item.name in named]
            args = [*first, *args]
        return Operation(function, self.class_name, name)(*args, **named)


def _make_layer(name: str, entry: Mapping[str, Any]) -> Any:
    with _blaming(f"Layer {name!r} ({entry.get('class_name')})"):
        layer = deserialize(dict(entry))
    layer.name = name
    return layer
