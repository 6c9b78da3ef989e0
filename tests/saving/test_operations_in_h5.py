"""Keras 3 writes operations into ``.h5`` files, which it cannot read back; nb3d can tell them from layers."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nb3d
from nb3d.saving.configuration import configuration
from tests.saving.networks import NETWORKS, predictions, randomize


def without_modules(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as Keras 3 writes it into such a file."""
    kept = {key: value for key, value in entry.items() if key not in ("module", "registered_name", "build_config")}
    if "layers" in entry["config"]:
        kept["config"] = {**entry["config"], "layers": [without_modules(layer) for layer in entry["config"]["layers"]]}
    return kept


@pytest.mark.parametrize("name", ["attention", "functions", "operators"])
def test_operations_without_modules_are_read(name: str, tmp_path: Path) -> None:
    model = NETWORKS[name](nb3d)
    randomize(model)
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["keras_version"] = "3.15.1"
        file.attrs["model_config"] = json.dumps(without_modules(configuration(model)))
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.name for layer in model.layers]
        for layer in model.layers:
            part = group.create_group(layer.name)
            part.attrs["weight_names"] = [f"weight_{number}" for number, _ in enumerate(layer.weights)]
            for number, weight in enumerate(layer.weights):
                part[f"weight_{number}"] = weight.numpy()
    copy = nb3d.models.load_model(tmp_path / "model.h5")
    assert [type(operation) for operation in copy.operations] == [type(item) for item in model.operations]
    for mine, its in zip(predictions(copy), predictions(model), strict=True):
        np.testing.assert_array_equal(mine, its)
