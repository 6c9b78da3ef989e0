"""Where weights lie in the ``.h5`` files of Keras 1 and 2, and of Keras 3 where it is asked for them.

Every layer of the model has a group, and attributes list the layers and the weights of each, in order. A model within
the model is one layer: its trainable weights come first, the others at the end. Paths are never guessed.

What does not fit is told by the words that Keras has for it, so that searches find it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nb3d.engine.variable import Variable
from nb3d.saving.container import Matching
from nb3d.saving.errors import ModelFileError
from nb3d.saving.hdf5 import Hdf5
from nb3d.saving.layout import Slot, class_name, groups

WHOLE_MODEL = "model_weights"  # the group of the weights in a file that holds the model too
TOP_LEVEL = "top_level_model_weights"  # the group of weights that a model has besides those of its layers
LAYERS, WEIGHTS = "layer_names", "weight_names"
VERSION, BACKEND = "keras_version", "backend"

_FLIPPED_BY_THEANO = frozenset({"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose"})
_TURNED_BY_KERAS_1 = frozenset({"Conv2D", "Conv3D"})  # channels first: the kernel was (filters, channels, ...)


Lists = dict[str, list[str]]  # layer -> its weights
Weighted = tuple[Any, list[Variable]]  # a layer, its weights


class LegacyWeights:
    """Weights under lists of names.

    Args:
        file: The file.
        root: The group that lists the layers.
    """

    def __init__(self, file: Hdf5, root: str) -> None:
        self._file = file
        self._root = root
        self.stored = file.stored
        self.read = file.read

    def names(self) -> list[str]:
        """The places of all weights in the file."""
        listed = self._layers().items()
        return [_join(_join(self._root, group), name) for group, names in listed for name in names]

    def slots(self, model: Any, matching: Matching) -> list[Slot]:
        """The places of a model's weights; see `nb3d.saving.container.Weights`."""
        listed = self._layers()
        layers = [(layer, layer.weights) for layer in model.layers]
        if matching.own:
            pairs = self._all_by_name(listed, layers)
        elif matching.by_name:
            pairs = self._some_by_name(listed, layers, matching)
        else:
            pairs = self._all_in_order(listed, layers)
        version, backend = self._file.text(self._root, VERSION), self._file.text(self._root, BACKEND)
        if not matching.by_name and self._file.names(_join(self._root, TOP_LEVEL), WEIGHTS):
            raise ModelFileError("the file has weights that belong to no layer", key=_join(self._root, TOP_LEVEL))
        found = []
        for number, (layer, weights), group in pairs:
            for plain, owner in _slots_of(layer, weights, _join(self._root, group), listed[group]):
                slot = self._converted(plain, owner, version, backend)
                if self._fits(slot, f"layer #{number} (named {layer.name})", matching):
                    found.append(slot)
        return found

    def _layers(self) -> Lists:
        """Layer -> its weights, for all layers in the file, in their order."""
        names = self._file.names(self._root, LAYERS)
        if names is None:
            raise ModelFileError("the list of layers is missing from the file", key=f"{self._root}.attrs[{LAYERS!r}]")
        found: Lists = {}
        for name in names:
            weights = self._file.names(_join(self._root, name), WEIGHTS)
            if weights is None:
                raise ModelFileError("the list of weights is missing from the file", layer=name, key=WEIGHTS)
            if name in found:
                raise ModelFileError("the layer comes twice in the list of layers", layer=name)
            found[name] = weights
        return found

    # -- which layer takes which group: number, layer, group -------------------------------------------------------

    def _all_by_name(self, listed: Lists, layers: list[Weighted]) -> Iterator[tuple[int, Weighted, str]]:
        wanted = {layer.name: (layer, weights) for layer, weights in layers if weights}
        there = {name for name, names in listed.items() if names}
        if set(wanted) != there:
            raise self._other_layers(list(wanted), [name for name in listed if name in there])
        for number, (name, layer) in enumerate(wanted.items()):
            _check_count(layer, name, number, len(listed[name]))
            yield number, layer, name

    def _all_in_order(self, listed: Lists, layers: list[Weighted]) -> Iterator[tuple[int, Weighted, str]]:
        wanted = [(layer, weights) for layer, weights in layers if weights]
        there = [name for name, names in listed.items() if names]
        if len(wanted) != len(there):
            raise self._other_layers([layer.name for layer, _ in wanted], there)
        for number, (layer, name) in enumerate(zip(wanted, there, strict=True)):
            _check_count(layer, name, number, len(listed[name]))
            yield number, layer, name

    def _some_by_name(
        self, listed: Lists, layers: list[Weighted], matching: Matching
    ) -> Iterator[tuple[int, Weighted, str]]:
        known = {layer.name: (layer, weights) for layer, weights in layers}
        for number, name in enumerate(listed):
            if name not in known:
                continue
            try:
                _check_count(known[name], name, number, len(listed[name]))
            except ModelFileError as error:
                if not matching.skip_mismatch:
                    raise
                _warn(self._file.name, error)
            else:
                yield number, known[name], name

    def _other_layers(self, wanted: list[str], there: list[str]) -> ModelFileError:
        missing = [name for name in wanted if name not in there]
        extra = [name for name in there if name not in wanted]
        return ModelFileError(
            "Layer count mismatch: the layers with weights are not those of the model; "
            f"missing: {missing}; extra: {extra}",
            key=f"{self._root}.attrs[{LAYERS!r}]",
            expected=f"{len(wanted)} layers with weights",
            got=len(there),
        )

    # -- single weights --------------------------------------------------------------------------------------------

    def _converted(self, slot: Slot, owner: Any, version: str | None, backend: str | None) -> Slot:
        """A kernel that Keras 1 or Theano stored otherwise; weights without a version are those of Keras 1."""
        if not slot.variable.name.endswith("/kernel"):
            return slot
        kind = class_name(owner)
        spatial = tuple(range(len(slot.variable.shape) - 2))
        first = getattr(owner, "data_format", None) == "channels_first"
        if version is None and first and kind in _TURNED_BY_KERAS_1:
            turned = replace(slot, order=(*(axis + 2 for axis in spatial), 1, 0))
            slot = turned if self.stored(slot.path).shape == turned.stored_shape else slot
        if backend == "theano" and kind in _FLIPPED_BY_THEANO:
            slot = replace(slot, flipped=spatial)
        return slot

    def _fits(self, slot: Slot, where: str, matching: Matching) -> bool:
        """Whether a weight has the shape of the model's; where mismatches are skipped, a warning if not."""
        shape = self.stored(slot.path).shape
        if shape == slot.stored_shape:
            return True
        error = ModelFileError(
            f"Shape mismatch in {where}: the weight has another shape",
            layer=slot.layer,
            key=slot.path,
            expected=slot.stored_shape,
            got=shape,
        )
        if not matching.skip_mismatch:
            raise error
        _warn(self._file.name, error)
        return False


def _check_count(weighted: Weighted, name: str, number: int, count: int) -> None:
    layer, weights = weighted
    if count != len(weights):
        raise ModelFileError(
            f"Weight count mismatch for layer #{number} (named {layer.name} in the model, {name} in the file): "
            "the number of weights differs",
            layer=layer.name,
            expected=len(weights),
            got=count,
        )


def _warn(file: str, error: ModelFileError) -> None:
    error.file = file
    warnings.warn(f"Skipping: {error}", UserWarning, stacklevel=2)


def _slots_of(
    layer: Any, variables: list[Variable], group: str, names: list[str]
) -> list[tuple[Slot, Any]]:
    """The weights of one layer and of those inside it, each with the layer that it belongs to.

    Their order alone would mix up weights of one shape where a layer inside is frozen otherwise than it was; so names
    decide where those in the file are those of the layer.
    """
    owners = {id(own): part.layer for part in groups(layer) for own in part.weights()}
    place = {_ending(name): name for name in names}
    ends = [f"{owners[id(variable)].name}/{variable.name.rsplit('/', 1)[-1]}" for variable in variables]
    if set(place) == set(ends) and len(place) == len(names):
        names = [place[end] for end in ends]
    return [
        (Slot(_join(group, name), owners[id(variable)].name, variable), owners[id(variable)])
        for name, variable in zip(names, variables, strict=True)
    ]


def _ending(name: str) -> str:
    """``stem/stem_conv/kernel:0`` -> ``stem_conv/kernel``."""
    return "/".join(re.sub(r":\d+$", "", name).split("/")[-2:])


def _join(group: str, name: str) -> str:
    return f"{group}/{name}" if group else name
