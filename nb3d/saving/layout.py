"""Where weights lie in Keras 3's files: ``layers/conv3d_1/vars/0``, counted and not named.

Reading and writing walk a model in the same way, so there is one text for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nb3d.engine.layer import BaseLayer
from nb3d.engine.names import to_snake_case
from nb3d.engine.network import Network
from nb3d.engine.variable import Variable
from nb3d.layers.registry import LAYERS
from nb3d.saving.errors import ModelFileError

# Keras makes a Functional where one says Model(inputs, outputs), and exports a class under another name.
_CLASS_NAMES = {"Model": "Functional", "GroupQueryAttention": "GroupedQueryAttention"}

# Groups that hold the state of a training or of random numbers, not of the model.
_STATES = frozenset({
    "optimizer", "_optimizer", "_compile_loss", "_compile_metrics", "_loss_tracker", "loss_tracker", "metrics",
    "seed_generator",
})  # fmt: skip
# What others call the attributes that hold layers.
_KERAS_2 = {f"{name}_dense": f"_{name}_dense" for name in ("query", "key", "value", "output")}
_TENSORFLOW_2_12 = {"layers": "_layer_checkpoint_dependencies"}
_CONTAINERS = (list, tuple, dict)
_HOLDERS = (BaseLayer, *_CONTAINERS)
_SHOWN = 5  # names of a long list in a message


@dataclass(frozen=True)
class Slot:
    """A place in a file for one weight.

    Attributes:
        path: The place.
        layer: Name of the layer that it belongs to.
        variable: The weight.
        order: The axes of the stored array in the order in which the weight has them; the same order where absent.
        flipped: Axes of the weight that are stored from the end to the beginning.
    """

    path: str
    layer: str
    variable: Variable
    order: tuple[int, ...] | None = None
    flipped: tuple[int, ...] = ()

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The shape that the stored array must have."""
        shape = self.variable.shape
        return shape if self.order is None else tuple(shape[self.order.index(axis)] for axis in range(len(shape)))

    def unpacked(self, stored: np.ndarray) -> np.ndarray:
        """The weight, from the stored array."""
        array = stored if self.order is None else stored.transpose(self.order)
        return np.flip(array, self.flipped) if self.flipped else array


@dataclass(frozen=True)
class Group:
    """A place in a file for one layer: its own weights, in their order, lie in ``vars`` below.

    Attributes:
        path: The place of ``vars``.
        label: The names of the layer and of those that it is in, for files that count nothing.
        layer: The layer.
    """

    path: str
    label: str
    layer: Any

    def weights(self) -> list[Variable]:
        """The layer's own weights: trainable ones first, whether it is frozen or not."""
        return [*self.layer._trainable_weights, *self.layer._non_trainable_weights]

    def slots(self) -> list[Slot]:
        """The places of the layer's own weights."""
        return [Slot(f"{self.path}/{index}", self.layer.name, own) for index, own in enumerate(self.weights())]

    def named_slots(self) -> list[Slot]:
        """The places of the layer's own weights where names count: ``stem/conv/kernel``."""
        return [
            Slot(_join(self.label, own.name.rpartition("/")[2]), self.layer.name, own) for own in self.weights()
        ]


def class_name(layer: BaseLayer) -> str:
    """The class as which a layer is written: nb3d's own word for its own, the user's for the user's."""
    return type(layer).__name__ if type(layer) in LAYERS.things() else layer._class_name


def class_name_read(layer: BaseLayer) -> str:
    """The class as which the file that a layer came from wrote it, such as one of another package."""
    return layer._class_name


def groups(model: BaseLayer, name_of: Callable[[BaseLayer], str] = class_name) -> list[Group]:
    """One group for every layer of a model, at every depth; a shared layer is where it is reached first.

    Args:
        model: The model.
        name_of: The class by which layers are counted.
    """
    return list(_Walk(name_of).visit(model, "", ""))


class _Walk:
    """One pass through a model and all that is in it."""

    def __init__(self, name_of: Callable[[BaseLayer], str]) -> None:
        self._name_of = name_of
        self._visited: set[int] = set()

    def visit(self, layer: BaseLayer, path: str, label: str) -> Iterator[Group]:
        if id(layer) in self._visited:
            return
        self._visited.add(id(layer))
        yield Group(_join(path, "vars"), label, layer)
        if isinstance(layer, Network):
            yield from self._visit_all(layer.layers, _join(path, "layers"), label)
            return
        held = [item for item in vars(layer).items() if isinstance(item[1], _HOLDERS)]
        for name, value in sorted(held, key=lambda item: (item[0].startswith("_"), item[0])):
            if isinstance(value, BaseLayer):
                yield from self.visit(value, _join(path, name), _join(label, name))
            elif value:
                yield from self._visit_all(value, _join(path, name), _join(label, name))

    def _visit_all(self, container: Any, path: str, label: str) -> Iterator[Group]:
        """The layers of a list or dict, counted per class: ``conv3d``, ``conv3d_1``, ..."""
        counts: Counter[str] = Counter()
        items: Iterable[Any] = container.values() if isinstance(container, dict) else container
        for number, item in enumerate(items):
            if isinstance(item, BaseLayer):
                place = _join(path, _counted(self._snake_case(item), counts))
                yield from self.visit(item, place, _join(label, item.name))
            elif isinstance(item, _CONTAINERS):
                place = _join(path, _counted("container", counts))
                yield from self._visit_all(item, place, _join(label, str(number)))

    def _snake_case(self, layer: BaseLayer) -> str:
        name = self._name_of(layer)
        return to_snake_case(_CLASS_NAMES.get(name, name))


def _counted(name: str, counts: Counter[str]) -> str:
    counts[name] += 1
    return name if counts[name] == 1 else f"{name}_{counts[name] - 1}"


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def slots(model: BaseLayer) -> list[Slot]:
    """The places of all weights of a model as nb3d writes them."""
    return [slot for group in groups(model) for slot in group.slots()]


def slots_in(model: BaseLayer, found: Sequence[str]) -> list[Slot]:
    """The places of all weights of a model in a file, whichever words it has for classes and for what holds layers.

    Args:
        model: The model.
        found: All places in the file.
    """
    there = set(found)
    best: tuple[int, list[Slot]] = (-1, [])
    for name_of in (class_name, class_name_read):
        plain = [slot for group in groups(model, name_of) for slot in group.slots()]
        for words in ({}, _KERAS_2, _KERAS_2 | _TENSORFLOW_2_12):
            places = [replace(slot, path=_in_words(slot.path, words)) for slot in plain] if words else plain
            fitting = sum(slot.path in there for slot in places)
            if fitting == len(places):
                return places
            best = max(best, (fitting, places), key=lambda item: item[0])
    return best[1]


def _in_words(path: str, words: Mapping[str, str]) -> str:
    return "/".join(words.get(part, part) for part in path.split("/"))


def named_slots(model: BaseLayer) -> list[Slot]:
    """The places of all weights of a model where names count.

    Raises:
        ModelFileError: If two would have one name: a layer's name holds a ``/``, or layers inside one share a name.
    """
    found = [slot for group in groups(model) for slot in group.named_slots()]
    places = list({id(slot.variable): slot for slot in reversed(found)}.values())[::-1]  # each once
    twice = [path for path, count in Counter(slot.path for slot in places).items() if count > 1]
    if twice:
        raise ModelFileError(f"two weights of the model would have one name: {_listed(twice)}")
    return places


def check_names(places: Sequence[Slot], found: Sequence[str]) -> None:
    """Raises `ModelFileError` unless the file has exactly the places that the model has."""
    missing, extra = differing_names(places, found)
    if missing or extra:
        raise ModelFileError(
            "the weights in the file are not those of the model"
            f"{'; missing: ' + _listed(missing) if missing else ''}{'; extra: ' + _listed(extra) if extra else ''}"
        )


def differing_names(places: Sequence[Slot], found: Sequence[str]) -> tuple[list[str], list[str]]:
    """What the model has and the file has not, and the reverse; the state of a training does not count."""
    wanted, there = {slot.path for slot in places}, set(found)
    missing = [f"{slot.path} of {slot.layer!r}" for slot in places if slot.path not in there]
    extra = [path for path in found if path not in wanted and not _STATES.intersection(path.split("/"))]
    return missing, extra


def fitting_groups(places: Sequence[Slot], found: Sequence[str]) -> tuple[list[Slot], list[str]]:
    """The places of layers of which the file has just the weights that they have, and the names of the others."""
    there: dict[str, set[str]] = {}
    for path in found:
        there.setdefault(path.rpartition("/")[0], set()).add(path)
    wanted: dict[str, list[Slot]] = {}
    for slot in places:
        wanted.setdefault(slot.path.rpartition("/")[0], []).append(slot)
    fit = {group for group, slots in wanted.items() if {slot.path for slot in slots} == there.get(group)}
    kept = [slot for slot in places if slot.path.rpartition("/")[0] in fit]
    return kept, [slots[0].layer for group, slots in wanted.items() if group not in fit]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
