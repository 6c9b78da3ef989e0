"""The public door to model files. Behind it stands `nb3d.saving`, a floor higher, which connects itself here.

So a `Model` can save itself, and ``nb3d.models.load_model`` is where Keras has it, without an import that goes upward;
and a program that reads no file does not wait for what reads them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Path = str | os.PathLike[str]
Nonfinite = Literal["error", "warn", "allow"]

MAX_BYTES = 8 * 2**30  # of weights: more than any 3D network that is known, less than would hurt most machines


@dataclass(frozen=True)
class Formats:
    """What `nb3d.saving` knows to do."""

    read_model: Callable[..., Any]
    read_weights: Callable[..., None]
    write_model: Callable[..., None]
    write_weights: Callable[..., None]
    configuration: Callable[[Any], dict[str, Any]]


_connected: list[Formats] = []
_bell: list[Callable[[], object]] = []


def connect(formats: Formats) -> None:
    """Puts `formats` behind the door."""
    _connected[:] = [formats]


def connect_when_needed(load: Callable[[], object]) -> None:
    """Names what calls `connect`, once somebody comes to the door."""
    _bell[:] = [load]


def formats() -> Formats:
    """What stands behind the door."""
    if not _connected:
        _bell[0]()
    return _connected[0]


def load_model(
    filepath: Path,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = False,
    safe_mode: bool = True,
    *,
    max_bytes: int = MAX_BYTES,
    nonfinite: Nonfinite = "error",
    verify: bool = False,
) -> Any:
    """The model in a file, with its weights: ``.keras``, Keras' older ``.h5``, or ``.safetensors`` as nb3d writes it.

    The file may come from anybody: its content is data, names in it are looked up in nb3d's own lists and in
    `custom_objects`, and everything is checked before the model gets a single weight. How the model was to be trained
    (losses, metrics, optimizer and its state) is not read. Words that changed their meaning between versions of Keras
    are taken as the version that wrote the file meant them.

    Args:
        filepath: The file; its name must end in ``.keras``, ``.h5``, ``.hdf5``, ``.hdf``, ``.hd5`` or ``.safetensors``.
        custom_objects: Layers, functions and so on that nb3d does not have, by the names in the file.
        compile: Kept for Keras' signature; models are not trained.
        safe_mode: Kept for Keras' signature; there is no unsafe mode. Code in a file is never run.
        max_bytes: The most memory that the weights may take, 8 GiB by default. It is compared with what the
            configuration asks for before anything is allocated.
        nonfinite: What to do about weights that are NaN or infinite, or a negative variance: ``'error'``, ``'warn'`` or
            ``'allow'``.
        verify: Whether to replay the self-test that ``save(..., self_test=True)`` put into the file.

    Raises:
        nb3d.saving.ModelFileError: If the file is not there, damaged, of another kind, names something unknown, or its
            weights do not fit its layers. The message names file, layer and key. With `verify`, also if there is no
            self-test in it, or a layer computes something else than it did: the first such layer is named.
        ImportError: If h5py, which reads HDF5, is missing.

    Source: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
    """
    return formats().read_model(filepath, custom_objects, max_bytes=max_bytes, nonfinite=nonfinite, verify=verify)


def save_model(model: Any, filepath: Path, overwrite: bool = True, *, self_test: bool = False) -> None:
    """Writes a model with its weights to a file; see `Model.save`."""
    formats().write_model(model, filepath, overwrite=overwrite, self_test=self_test)
