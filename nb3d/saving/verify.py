"""Looking at a model file without taking memory for its weights: what it holds and needs, and what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nb3d.engine.registry import custom_object_scope
from nb3d.layers.refused import REFUSED
from nb3d.models.files import Path
from nb3d.models.schema import unknown_classes
from nb3d.models.versions import in_new_words
from nb3d.saving import layout
from nb3d.saving.container import Container, Matching, Weights
from nb3d.saving.errors import ModelFileError
from nb3d.saving.formats import opened_container
from nb3d.saving.reader import built_from, check_version, compressed_limit, configuration_in
from nb3d.saving.weights import bytes_of, misfit

_WEIGHTS_ALONE = 2**31  # bytes that compressed weights may take where there is no model to compare them with


class Report:
    """What was found in a file.

    Attributes:
        facts: What it holds and needs: a name and a value each.
        problems: What is wrong, one sentence each; none for a file that can be loaded.
    """

    def __init__(self) -> None:
        self.facts: list[tuple[str, str]] = []
        self.problems: list[str] = []

    def __str__(self) -> str:
        width = max((len(name) for name, _ in self.facts), default=0)
        lines = [f"{name:{width}}  {value}" for name, value in self.facts]
        return "\n".join([*lines, *(f"problem: {problem}" for problem in self.problems)])


def verify_file(path: Path, custom_objects: Mapping[str, Any] | None = None) -> Report:
    """Checks a model file, all but the values of its weights, which are only compared with their checksum.

    Args:
        path: The file.
        custom_objects: Layers, functions and so on that nb3d does not have, by the names in the file.

    Raises:
        ModelFileError: If it cannot be opened at all.

    Example:
        >>> import nb3d, os, tempfile
        >>> x = nb3d.Input((8, 8, 8, 1))
        >>> model = nb3d.Model(x, nb3d.layers.Conv3D(2, 3)(x))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     model.save(path)
        ...     report = nb3d.saving.verify_file(path)
        >>> dict(report.facts)["weights"], report.problems
        ('2 arrays, 56 values, 224 bytes', [])
    """
    report = Report()
    with custom_object_scope(custom_objects), opened_container(path) as (source, container):
        kept = "yes" if container.self_test else "no"
        version = "not said" if container.version is None else ascii(container.version)[:40].strip("'")
        size = f"{source.size:,} bytes"
        report.facts += [("format", container.kind), ("size", size), ("written by Keras", version), ("self-test", kept)]
        try:
            check_version(container.version)
            model = _model(container, report) if container.config else None
            limit = compressed_limit(bytes_of(layout.slots(model))) if model is not None else _WEIGHTS_ALONE
            with container.weights(limit) as weights:
                _compare(weights, model, report)
            source.check_unchanged()
        except ModelFileError as error:
            report.problems.append(str(error))
    return report


def _model(container: Container, report: Report) -> Any:
    """The model without weights; ``None`` if it cannot be built, with the reasons in the report."""
    config = configuration_in(container)
    try:
        words = in_new_words(config, container.version) if isinstance(config, Mapping) else {}
    except ValueError as error:
        raise ModelFileError(str(error), key=container.config_key) from error
    unknown = unknown_classes(words)
    for name, layers in unknown.items():
        shown = ", ".join(map(repr, layers[:5])) + (f" and {len(layers) - 5} more" if len(layers) > 5 else "")
        report.problems.append(f"unknown class {name!r}, of {shown}: {REFUSED.get(name, 'pass it as custom_objects')}")
    if unknown:
        return None
    model = built_from(config, container)
    if not model.built:
        raise ModelFileError("the model has no input shape, so its weights are unknown", key=container.config_key)
    shapes = [f"{name} {tensor.shape}" for name, tensor in zip(model.input_names, model.inputs, strict=True)]
    report.facts += [("model", f"{model.name}, {len(model.layers)} layers"), ("inputs", ", ".join(shapes))]
    return model


def _compare(weights: Weights, model: Any, report: Report) -> None:
    names = weights.names()
    if model is None:
        items = [weights.stored(name) for name in names]
        count = sum(math.prod(item.shape) for item in items)
        total = sum(math.prod(item.shape) * item.dtype.itemsize for item in items)
    else:
        places = layout.slots(model)
        count, total = sum(slot.variable.size for slot in places), bytes_of(places)
    report.facts.append(("weights", f"{len(names)} arrays, {count:,} values, {total:,} bytes"))
    if model is not None:
        for slot in weights.slots(model, Matching(own=True)):
            problem = misfit(slot, weights.stored(slot.path))
            if problem is not None:
                report.problems.append(str(problem))
