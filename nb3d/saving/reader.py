"""The one way from a file to a model: kind, configuration, what the weights need, their places, their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nb3d.models.files import Nonfinite, Path
from nb3d.models.parsing import parse_json
from nb3d.models.rebuild import model_from_config
from nb3d.saving import layout, legacy
from nb3d.saving.archive import CONFIG, METADATA, Archive
from nb3d.saving.errors import ModelFileError
from nb3d.saving.hdf5 import Hdf5, reading
from nb3d.saving.layout import Slot
from nb3d.saving.source import ZIP, Source, opened
from nb3d.saving.weights import assign_all, bytes_of, check_budget, check_policy, read_all

NEWEST_KERAS = 3  # files of a later one may mean something else by the same words

_OVERHEAD = 64 * 2**20  # bytes that an HDF5 file may have besides values
_COPIES = 4  # weights, and what optimizers keep for each


def read_model(
    path: Path,
    custom_objects: Mapping[str, Any] | None = None,
    *,
    max_bytes: int,
    nonfinite: Nonfinite,
) -> Any:
    """See `nb3d.models.load_model`."""
    check_policy(nonfinite)
    with opened(path) as source:
        if source.kind == ZIP:
            archive = Archive(source)
            _check_version(_archived_version(archive))
            model = _build(archive.text(CONFIG), CONFIG, custom_objects)
            _check_fillable(model, max_bytes)
            _fill_from_archive(model, source, archive, nonfinite)
            return model
        with reading(source.window(), source.name) as file:
            text = file.text("", "model_config")
            if text is None:
                raise ModelFileError(
                    "the file holds weights alone: make the model, with model_from_json, and call its load_weights",
                    key="attrs['model_config']",
                )
            _check_version(file.text("", "keras_version"))
            model = _build(text.encode(), "attrs['model_config']", custom_objects)
            _check_fillable(model, max_bytes)
            _fill(file, legacy.slots(file, legacy.WHOLE_MODEL, model, by_name=True), source, nonfinite)
            return model


def read_weights(model: Any, path: Path, *, max_bytes: int, nonfinite: Nonfinite) -> None:
    """See `nb3d.Model.load_weights`."""
    check_policy(nonfinite)
    with opened(path) as source:
        _check_fillable(model, max_bytes)
        if source.kind == ZIP:
            _fill_from_archive(model, source, Archive(source), nonfinite)
            return
        with reading(source.window(), source.name) as file:
            _fill(file, _slots_in(file, model), source, nonfinite)


def _archived_version(archive: Archive) -> Any:
    metadata = _parsed(archive.text(METADATA) or b"{}", METADATA)
    if not isinstance(metadata, Mapping):
        raise ModelFileError("this is no object", key=METADATA, got=f"{metadata!r:.40}")
    return metadata.get("keras_version")


def _check_version(version: Any) -> None:
    if version is None:
        return
    number = re.match(r"\d{1,4}", version) if isinstance(version, str) else None
    if number is None or int(number.group()) > NEWEST_KERAS:
        raise ModelFileError(
            "the file was written by a version of Keras that nb3d does not know",
            key="keras_version",
            expected=f"at most {NEWEST_KERAS}",
            got=f"{version!r:.40}",
        )


def _parsed(text: bytes, place: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise ModelFileError(f"this is no configuration: {error}", key=place) from error


def _build(text: bytes, place: str, custom_objects: Mapping[str, Any] | None) -> Any:
    """The model of a configuration. Whatever goes wrong in it is the file's doing: nothing else came in."""
    config = _parsed(text, place)
    try:
        return model_from_config(config, custom_objects)
    except Exception as error:
        message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        raise ModelFileError(message or type(error).__name__, key=place) from error


def _check_fillable(model: Any, max_bytes: int) -> None:
    """Raises `ModelFileError` if the model has no weights yet, or larger ones than allowed."""
    if not model.built:
        raise ModelFileError(
            f"the model {model.name!r} has no weights yet: its input shape is unknown, call build(input_shape) first"
        )
    check_budget(layout.slots(model), max_bytes)


def _slots_in(file: Hdf5, model: Any) -> list[Slot]:
    """The places of a model's weights in an HDF5 file, whichever of three kinds it is."""
    if file.names("", legacy.LAYERS) is not None:
        return legacy.slots(file, "", model, by_name=False)
    if file.has(legacy.WHOLE_MODEL):
        return legacy.slots(file, legacy.WHOLE_MODEL, model, by_name=False)
    return layout.slots_in(file, model)


def _fill_from_archive(model: Any, source: Source, archive: Archive, nonfinite: Nonfinite) -> None:
    limit = _COPIES * bytes_of(layout.slots(model)) + _OVERHEAD
    with archive.weights(limit) as stream, reading(stream, source.name) as file:
        _fill(file, layout.slots_in(file, model), source, nonfinite)


def _fill(file: Hdf5, slots: list[Slot], source: Source, nonfinite: Nonfinite) -> None:
    """Reads and checks all, and only then changes the model."""
    arrays = read_all(file, slots, nonfinite)
    source.check_unchanged()
    assign_all(slots, arrays)
