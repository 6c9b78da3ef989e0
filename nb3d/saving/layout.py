"""Where weights lie in Keras 3's files: ``layers/conv3d_1/vars/0``, counted and not named.

Reading and writing walk a model in the same way, so there is one text for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nb3d.engine.layer import BaseLayer
from nb3d.engine.names import to_snake_case
from nb3d.engine.network import Network
from nb3d.engine.variable import Variable
from nb3d.saving.errors import ModelFileError
from nb3d.saving.hdf5 import Hdf5

_CLASS_NAMES = {"Model": "Functional"}  # Keras makes a Functional where one says Model(inputs, outputs)

# Groups that hold the state of a training or of random numbers, not of the model.
_STATES = frozenset({
    "optimizer", "_optimizer", "_compile_loss", "_compile_metrics", "_loss_tracker", "loss_tracker", "seed_generator",
})  # fmt: skip
_OLD_CONTAINER = "_layer_checkpoint_dependencies"  # what TensorFlow 2.12 and 2.13 call `layers`
_SHOWN = 5  # names of a long list in a message


@dataclass(frozen=True)
class Slot:
    """A place in a file for one weight.

    Attributes:
        path: The place.
        layer: Name of the layer that it belongs to.
        variable: The weight.
    """

    path: str
    layer: str
    variable: Variable


@dataclass(frozen=True)
class Group:
    """A place in a file for one layer: its own weights, in their order, lie in ``vars`` below.

    Attributes:
        path: The place of ``vars``.
        layer: The layer.
    """

    path: str
    layer: Any

    def slots(self) -> list[Slot]:
        """The places of the layer's own weights: trainable ones first, whether it is frozen or not."""
        own = [*self.layer._trainable_weights, *self.layer._non_trainable_weights]
        return [Slot(f"{self.path}/{index}", self.layer.name, variable) for index, variable in enumerate(own)]


def groups(model: BaseLayer) -> list[Group]:
    """One group for every layer of a model, at every depth; a shared layer is where it is reached first."""
    return list(_visit(model, "", set()))


def _visit(layer: BaseLayer, path: str, visited: set[int]) -> Iterator[Group]:
    if id(layer) in visited:
        return
    visited.add(id(layer))
    yield Group(_join(path, "vars"), layer)
    if isinstance(layer, Network):
        yield from _visit_all(layer.layers, _join(path, "layers"), visited)
        return
    for name, value in sorted(vars(layer).items(), key=lambda item: (item[0].startswith("_"), item[0])):
        if isinstance(value, BaseLayer):
            yield from _visit(value, _join(path, name), visited)
        elif isinstance(value, list | tuple | dict):
            yield from _visit_all(value, _join(path, name), visited)


def _visit_all(container: Any, path: str, visited: set[int]) -> Iterator[Group]:
    """The layers of a list or dict, counted per class: ``conv3d``, ``conv3d_1``, ..."""
    counts: Counter[str] = Counter()
    items: Iterable[Any] = container.values() if isinstance(container, dict) else container
    for item in items:
        if isinstance(item, BaseLayer):
            yield from _visit(item, _join(path, _counted(_snake_case(item), counts)), visited)
        elif isinstance(item, list | tuple | dict):
            yield from _visit_all(item, _join(path, _counted("container", counts)), visited)


def _counted(name: str, counts: Counter[str]) -> str:
    counts[name] += 1
    return name if counts[name] == 1 else f"{name}_{counts[name] - 1}"


def _snake_case(layer: BaseLayer) -> str:
    return to_snake_case(_CLASS_NAMES.get(layer._class_name, layer._class_name))


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def slots(model: BaseLayer) -> list[Slot]:
    """The places of all weights of a model."""
    return [slot for group in groups(model) for slot in group.slots()]


def slots_in(file: Hdf5, model: BaseLayer) -> list[Slot]:
    """The places of all weights of a model in a file that has just these.

    Raises:
        ModelFileError: If weights are missing from the file, or it has others.
    """
    places = slots(model)
    if file.has(_OLD_CONTAINER):
        places = [replace(slot, path=slot.path.replace("layers", _OLD_CONTAINER)) for slot in places]
    check_names(places, file.datasets())
    return places


def check_names(places: Sequence[Slot], found: Sequence[str]) -> None:
    """Raises `ModelFileError` unless the file has exactly the places that the model has."""
    wanted, there = {slot.path for slot in places}, set(found)
    missing = [f"{slot.path} of {slot.layer!r}" for slot in places if slot.path not in there]
    extra = [path for path in found if path not in wanted and not _STATES.intersection(path.split("/"))]
    if missing or extra:
        raise ModelFileError(
            "the weights in the file are not those of the model"
            f"{'; missing: ' + _listed(missing) if missing else ''}{'; extra: ' + _listed(extra) if extra else ''}"
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
