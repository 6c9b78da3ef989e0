"""From a model to a file that Keras 3 opens."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import datetime
from io import BytesIO
from typing import Any

from nb3d.models.files import Path
from nb3d.saving.archive import CONFIG, METADATA, WEIGHTS
from nb3d.saving.atomic import replacing
from nb3d.saving.configuration import configuration
from nb3d.saving.errors import ModelFileError, about
from nb3d.saving.hdf5 import require_h5py
from nb3d.saving.layout import groups

KERAS_VERSION = "3.15.1"  # the version whose format this is


def write_model(model: Any, path: Path, *, overwrite: bool) -> None:
    """See `nb3d.Model.save`."""
    name = os.fspath(path)
    with about(name):
        _check_ending(name, ".keras")
        config = json.dumps(configuration(model), allow_nan=False)
        saved = datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
        metadata = json.dumps({"keras_version": KERAS_VERSION, "date_saved": saved})
        with replacing(name, overwrite) as stream, zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(METADATA, metadata)
            archive.writestr(CONFIG, config)
            archive.writestr(WEIGHTS, _weights(model))


def write_weights(model: Any, path: Path, *, overwrite: bool) -> None:
    """See `nb3d.Model.save_weights`."""
    name = os.fspath(path)
    with about(name):
        _check_ending(name, ".weights.h5")
        content = _weights(model)
        with replacing(name, overwrite) as stream:
            stream.write(content)


def _check_ending(name: str, ending: str) -> None:
    if not name.lower().endswith(ending):
        raise ModelFileError("this format is not written", expected=f"a name that ends in {ending}", got=repr(name))


def _weights(model: Any) -> memoryview:
    """The HDF5 file of all weights: one group per layer, with the layer's name as an attribute."""
    if not model.built:
        raise ModelFileError(f"the model {model.name!r} has no weights yet: call build(input_shape) first")
    content = BytesIO()
    with require_h5py().File(content, "w") as file:
        for group in groups(model):
            place = file.create_group(group.path)
            place.attrs["name"] = group.layer.name
            for slot in group.slots():
                file.create_dataset(slot.path, data=slot.variable.value)
    return content.getbuffer()
