"""Layers that a file has under another name than nb3d's own: loaded, saved again, and read back."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nb3d
from nb3d.layers.registry import LAYERS
from tests.saving.networks import predictions, randomize

ALIASES = [name for name in LAYERS.names() if LAYERS[name].__name__ != name and name != "Functional"]
VOLUME = (6, 5, 4)


def arguments(class_name: str) -> dict[str, Any]:
    if "QueryAttention" in class_name:
        return {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1}
    if "Spectral" in class_name:
        return {"layer": nb3d.layers.Dense(4)}
    if "Conv" in class_name or "Deconv" in class_name:
        return {"filters": 4, "kernel_size": 2}
    return {"groups": 2} if LAYERS[class_name] is nb3d.layers.GroupNormalization else {}


def aliased(class_name: str) -> Any:
    """A network read from a configuration with a layer under an alias between two under nb3d's name."""
    cls = LAYERS[class_name]
    rank = next((int(character) for character in class_name if character in "123"), 1)
    x = nb3d.Input((*VOLUME[:rank], 4), name="x")
    ends = []
    for name in ("first", "aliased", "last"):
        layer = cls(**arguments(class_name), name=name)
        ends.append(layer(x, x) if "Attention" in class_name else layer(x))
    config = json.loads(nb3d.Model(x, ends).to_json())
    for entry in config["config"]["layers"]:
        if entry["config"]["name"] == "aliased":
            entry["class_name"] = class_name
    model = nb3d.models.model_from_config(config)
    randomize(model)
    return model


def assert_same(model: Any, copy: Any) -> None:
    for mine, its in zip(predictions(copy), predictions(model), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("class_name", ALIASES)
def test_a_layer_under_an_alias_is_saved_and_comes_back(class_name: str, tmp_path: Path) -> None:
    model = aliased(class_name)
    for ending in (".keras", ".h5", ".safetensors"):
        model.save(tmp_path / f"model{ending}")
        assert_same(model, nb3d.models.load_model(tmp_path / f"model{ending}"))
    model.save_weights(tmp_path / "model.weights.h5")
    copy = aliased(class_name)
    randomize(copy, seed=1)
    copy.load_weights(tmp_path / "model.weights.h5")
    assert_same(model, copy)


def test_a_file_that_counts_layers_by_an_alias_is_read(tmp_path: Path) -> None:
    """As tf_keras counts those of tensorflow_addons."""
    model = aliased("Addons>InstanceNormalization")
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    content = BytesIO(members["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        for number in range(3):
            counted = f"_{number}" if number else ""
            there = "instance_normalization" if number == 1 else f"group_normalization{'_1' if number else ''}"
            file.move(f"layers/group_normalization{counted}", f"layers/moved{number}")
            file.move(f"layers/moved{number}", f"layers/{there}")
    members["model.weights.h5"] = content.getvalue()
    config = json.loads(members["config.json"])
    for entry in config["config"]["layers"]:
        if entry["name"] == "aliased":
            entry.update({"module": "tensorflow_addons", "class_name": "Addons>InstanceNormalization"})
            entry["registered_name"] = "Addons>InstanceNormalization"
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        for name, value in members.items():
            archive.writestr(name, value)
    assert_same(model, nb3d.models.load_model(tmp_path / "other.keras"))
