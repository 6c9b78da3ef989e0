"""The one way from a file to a model: kind, configuration, what the weights need, their places, their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from nb3d.engine.registry import custom_object_scope
from nb3d.models.files import Nonfinite, Path
from nb3d.models.parsing import parse_json
from nb3d.models.rebuild import model_from_config
from nb3d.saving import layout, self_test
from nb3d.saving.container import Container, Matching, Weights
from nb3d.saving.errors import ModelFileError
from nb3d.saving.formats import opened_container
from nb3d.saving.source import Source
from nb3d.saving.weights import assign_all, check_budget, check_policy, read_all

NEWEST_KERAS = 3  # files of a later one may mean something else by the same words

_OVERHEAD = 64 * 2**20  # bytes that an HDF5 file may have besides values
_COPIES = 4  # weights, and what optimizers keep for each


def read_model(
    path: Path,
    custom_objects: Mapping[str, Any] | None = None,
    *,
    max_bytes: int,
    nonfinite: Nonfinite,
    verify: bool = False,
) -> Any:
    """See `nb3d.models.load_model`."""
    check_policy(nonfinite)
    with custom_object_scope(custom_objects), opened_container(path) as (source, container):
        model = built_from(configuration_in(container), container)
        limit = _check_fillable(model, max_bytes)
        _fill(model, source, container.weights(limit), Matching(own=True), nonfinite)
        if verify:
            self_test.replay(model, container.self_test)
        return model


def read_weights(
    model: Any,
    path: Path,
    *,
    max_bytes: int,
    nonfinite: Nonfinite,
    by_name: bool = False,
    skip_mismatch: bool = False,
) -> None:
    """See `nb3d.Model.load_weights`."""
    check_policy(nonfinite)
    with opened_container(path) as (source, container):
        check_version(container.version)
        limit = _check_fillable(model, max_bytes)
        matching = Matching(by_name=by_name, skip_mismatch=skip_mismatch)
        _fill(model, source, container.weights(limit), matching, nonfinite)


def configuration_in(container: Container) -> Any:
    """The configuration in a file, parsed and not yet checked.

    Raises:
        ModelFileError: If there is none, it is no JSON, or a later version of Keras wrote it.
    """
    if not container.config:
        raise ModelFileError(
            "the file holds weights alone: make the model, with model_from_json, and call its load_weights",
            key=container.config_key,
        )
    check_version(container.version)
    try:
        return parse_json(container.config)
    except ValueError as error:
        raise ModelFileError(f"this is no configuration: {error}", key=container.config_key) from error


def built_from(config: Any, container: Container) -> Any:
    """The model of a configuration, without weights. Whatever goes wrong is the file's doing: nothing else came in."""
    try:
        return model_from_config(config, keras_version=container.version)
    except Exception as error:
        message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        raise ModelFileError(message or type(error).__name__, key=container.config_key) from error


def check_version(version: Any) -> None:
    """Raises `ModelFileError` if a file says that a later version of Keras wrote it."""
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


def _check_fillable(model: Any, max_bytes: int) -> int:
    """The most memory that the model's weights may take in a file where they are compressed.

    Raises:
        ModelFileError: If the model has no weights yet, or larger ones than allowed.
    """
    if not model.built:
        raise ModelFileError(
            f"the model {model.name!r} has no weights yet: its input shape is unknown, call build(input_shape) first"
        )
    return compressed_limit(check_budget(layout.slots(model), max_bytes))


def compressed_limit(size: int) -> int:
    """The most memory that weights of `size` bytes may take where they are compressed."""
    return _COPIES * size + _OVERHEAD


def _fill(
    model: Any, source: Source, opening: AbstractContextManager[Weights], matching: Matching, nonfinite: Nonfinite
) -> None:
    """Reads and checks all, and only then changes the model."""
    with opening as weights:
        slots = weights.slots(model, matching)
        arrays = read_all(source.name, weights, slots, nonfinite)
    source.check_unchanged()
    assign_all(slots, arrays)
