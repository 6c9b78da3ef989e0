"""From a model to a file: by the end of its name ``.keras``, legacy ``.h5``, ``.weights.h5`` or ``.safetensors``."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

import numpy as np

from nb3d.models.files import Path
from nb3d.saving import legacy, safetensors
from nb3d.saving.archive import CONFIG, METADATA, WEIGHTS
from nb3d.saving.atomic import replacing
from nb3d.saving.configuration import configuration, legacy_configuration
from nb3d.saving.container import SELF_TEST
from nb3d.saving.errors import ModelFileError, about
from nb3d.saving.formats import HDF5_SELF_TEST
from nb3d.saving.hdf5 import require_h5py
from nb3d.saving.layout import groups, named_slots
from nb3d.saving.self_test import record
from nb3d.saving.source import file_name

KERAS_VERSION = "3.15.1"  # the version whose formats these are
_BACKEND = "tensorflow"  # as Keras would say: kernels are stored as they are applied
_PART = 2000  # names in one attribute: the header of a group has room for about twice as many

_MODELS = (".keras", ".h5", ".hdf5", ".safetensors")
_WEIGHTS = (".weights.h5", ".safetensors")


def write_model(model: Any, path: Path, *, overwrite: bool, self_test: bool = False) -> None:
    """See `nb3d.Model.save`."""
    name = file_name(path)
    with about(name):
        ending = _ending(name, _MODELS)
        if name.lower().endswith(_WEIGHTS[0]):
            raise ModelFileError("the name is one for weights alone: use save_weights, or another name")
        _check_built(model)
        recorded = record(model) if self_test else ""
        config = legacy_configuration(model) if ending in (".h5", ".hdf5") else configuration(model)
        text = json.dumps(config, allow_nan=False)
        if ending == ".keras":
            _write_archive(model, name, overwrite, text, recorded)
        elif ending == ".safetensors":
            metadata = safetensors.metadata_of(text, KERAS_VERSION, recorded)
            slots = named_slots(model)
            with replacing(name, overwrite) as stream:
                safetensors.write(stream, slots, metadata)
        else:
            content = _legacy(model, text, recorded)
            with replacing(name, overwrite) as stream:
                stream.write(content)


def write_weights(model: Any, path: Path, *, overwrite: bool) -> None:
    """See `nb3d.Model.save_weights`."""
    name = file_name(path)
    with about(name):
        ending = _ending(name, _WEIGHTS)
        _check_built(model)
        if ending == ".safetensors":
            slots = named_slots(model)
            with replacing(name, overwrite) as stream:
                safetensors.write(stream, slots, safetensors.metadata_of("", KERAS_VERSION))
            return
        content = _weights(model)
        with replacing(name, overwrite) as stream:
            stream.write(content)


def _ending(name: str, endings: Sequence[str]) -> str:
    for ending in endings:
        if name.lower().endswith(ending):
            return ending
    expected = f"a name that ends in {', '.join(endings)}"
    raise ModelFileError("this format is not written", expected=expected, got=repr(name))


def _check_built(model: Any) -> None:
    if not model.built:
        raise ModelFileError(f"the model {model.name!r} has no weights yet: call build(input_shape) first")


def _write_archive(model: Any, name: str, overwrite: bool, config: str, recorded: str) -> None:
    saved = datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = json.dumps({"keras_version": KERAS_VERSION, "date_saved": saved})
    weights = _weights(model)
    with replacing(name, overwrite) as stream, zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(METADATA, metadata)
        archive.writestr(CONFIG, config)
        archive.writestr(WEIGHTS, weights)
        if recorded:
            archive.writestr(SELF_TEST, recorded)


def _weights(model: Any) -> bytes:
    """The HDF5 file of all weights: one group per layer, with the layer's name as an attribute."""
    content = BytesIO()
    with require_h5py().File(content, "w") as file:
        for group in groups(model):
            place = file.create_group(group.path)
            place.attrs["name"] = group.layer.name
            for slot in group.slots():
                file.create_dataset(slot.path, data=slot.variable.value)
    return content.getvalue()


def _legacy(model: Any, config: str, recorded: str) -> bytes:
    """The HDF5 file of a whole model, as Keras' older format has it."""
    content = BytesIO()
    with require_h5py().File(content, "w") as file:
        file.attrs[legacy.VERSION] = KERAS_VERSION
        file.attrs[legacy.BACKEND] = _BACKEND
        file.attrs["model_config"] = config
        if recorded:
            file.create_dataset(HDF5_SELF_TEST, data=np.frombuffer(recorded.encode(), np.uint8))
        root = file.create_group(legacy.WHOLE_MODEL)
        root.attrs[legacy.VERSION] = KERAS_VERSION
        root.attrs[legacy.BACKEND] = _BACKEND
        _list(root, legacy.LAYERS, [layer.name for layer in model.layers])
        places = {id(slot.variable): slot for slot in named_slots(model)}
        for layer in model.layers:
            slots = [places[id(variable)] for variable in layer.weights]
            group = root.create_group(layer.name)
            _list(group, legacy.WEIGHTS, [slot.path for slot in slots])
            for slot in slots:
                group.create_dataset(slot.path, data=slot.variable.value)
        _list(root.create_group(legacy.TOP_LEVEL), legacy.WEIGHTS, [])
    return content.getvalue()


def _list(group: Any, name: str, names: list[str]) -> None:
    """A list of names as an attribute; a long one in parts."""
    if len(names) <= _PART:
        group.attrs[name] = names
        return
    for number, start in enumerate(range(0, len(names), _PART)):
        group.attrs[f"{name}{number}"] = names[start : start + _PART]
