"""Where weights lie in the ``.h5`` files of Keras 1 and 2, and of Keras 3 where it is asked for them.

Every layer of the model has a group, and attributes list the layers and the weights of each, in order. A model within
the model is one layer: its trainable weights come first, the others at the end. Paths are never guessed.
"""

from __future__ import annotations

import re
from typing import Any

from nb3d.engine.variable import Variable
from nb3d.saving.errors import ModelFileError
from nb3d.saving.hdf5 import Hdf5
from nb3d.saving.layout import Slot, groups

WHOLE_MODEL = "model_weights"  # the group of the weights in a file that holds the model too
LAYERS, WEIGHTS = "layer_names", "weight_names"


def slots(file: Hdf5, root: str, model: Any, by_name: bool) -> list[Slot]:
    """The places of all weights of a model.

    Args:
        file: The file.
        root: The group that lists the layers.
        model: The model.
        by_name: Whether groups belong to layers of the same name, as in a file that holds the model itself, or to
            layers in their order, as in a file of weights alone.

    Raises:
        ModelFileError: If the layers with weights are not those of the model, or their numbers of weights differ.
    """
    stored = _stored_layers(file, root)
    layers = [layer for layer in model.layers if layer.weights]
    names = [layer.name for layer in layers]
    if by_name and set(names) == set(stored):
        pairs = [(name, layer) for name, layer in zip(names, layers, strict=True)]
    elif not by_name and len(names) == len(stored):
        pairs = list(zip(stored, layers, strict=True))
    else:
        missing = [name for name in names if name not in stored]
        extra = [name for name in stored if name not in names]
        raise ModelFileError(
            f"the layers with weights are not those of the model; missing: {missing}; extra: {extra}",
            key=f"{root}.attrs[{LAYERS!r}]",
            expected=f"{len(names)} layers with weights",
            got=len(stored),
        )
    return [slot for name, layer in pairs for slot in _slots_of(layer, _join(root, name), stored[name])]


def _stored_layers(file: Hdf5, root: str) -> dict[str, list[str]]:
    """Layer -> its weights, for the layers in the file that have some."""
    names = file.names(root, LAYERS)
    if names is None:
        raise ModelFileError("the list of layers is missing from the file", key=f"{root}.attrs[{LAYERS!r}]")
    found: dict[str, list[str]] = {}
    for name in names:
        weights = file.names(_join(root, name), WEIGHTS)
        if weights is None:
            raise ModelFileError("the list of weights is missing from the file", layer=name, key=WEIGHTS)
        if name in found:
            raise ModelFileError("the layer comes twice in the list of layers", layer=name)
        if weights:
            found[name] = weights
    return found


def _slots_of(layer: Any, group: str, names: list[str]) -> list[Slot]:
    """The weights of one layer and of those inside it.

    Their order alone would mix up weights of one shape where a layer inside is frozen otherwise than it was; so names
    decide where those in the file are those of the layer.
    """
    owners = {id(slot.variable): slot.layer for part in groups(layer) for slot in part.slots()}
    variables: list[Variable] = layer.weights
    if len(names) != len(variables):
        raise ModelFileError(
            "the number of weights differs", layer=layer.name, key=group, expected=len(variables), got=len(names)
        )
    place = {_ending(name): name for name in names}
    ends = [f"{owners[id(variable)]}/{variable.name.rsplit('/', 1)[-1]}" for variable in variables]
    if set(place) == set(ends) and len(place) == len(names):
        names = [place[end] for end in ends]
    return [
        Slot(_join(group, name), owners[id(variable)], variable)
        for name, variable in zip(names, variables, strict=True)
    ]


def _ending(name: str) -> str:
    """``stem/stem_conv/kernel:0`` -> ``stem_conv/kernel``."""
    return "/".join(re.sub(r":\d+$", "", name).split("/")[-2:])


def _join(group: str, name: str) -> str:
    return f"{group}/{name}" if group else name
