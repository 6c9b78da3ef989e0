"""One model in every format: each comes back with the same bits."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nb3d
from nb3d import ops
from nb3d.saving import ModelFileError
from nb3d.saving.configuration import configuration
from nb3d.saving.layout import groups
from tests.saving.craft import small_model
from tests.saving.networks import NETWORKS, predictions, randomize

layers = nb3d.layers
WITH_OPERATIONS = ["attention", "functions", "operators", "rearrangements", "statistics"]
CASES = [(name, ending) for name in sorted(NETWORKS) for ending in ("h5", "hdf5", "safetensors")]


@pytest.mark.parametrize(("name", "ending"), CASES)
def test_a_model_comes_back_from_every_format(name: str, ending: str, tmp_path: Path) -> None:
    model = NETWORKS[name](nb3d)
    randomize(model)
    path = tmp_path / f"model.{ending}"
    if name in WITH_OPERATIONS and ending != "safetensors":
        with pytest.raises(ModelFileError, match=r"cannot hold operations; a \.keras file can"):
            model.save(path)
        assert not path.exists()
        return
    model.save(path)
    copy = nb3d.models.load_model(path)
    assert configuration(copy) == configuration(model)
    for mine, its in zip(predictions(copy), predictions(model), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_weights_alone_come_back_from_safetensors(name: str, tmp_path: Path) -> None:
    model, copy = NETWORKS[name](nb3d), NETWORKS[name](nb3d)
    randomize(model)
    for mine, its in zip(groups(copy), groups(model), strict=True):
        mine.layer.name = its.layer.name  # this format goes by names
    model.save_weights(tmp_path / "model.safetensors")
    copy.load_weights(tmp_path / "model.safetensors")
    for mine, its in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    with pytest.raises(ModelFileError, match="weights alone"):
        nb3d.models.load_model(tmp_path / "model.safetensors")


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_json_is_written_as_keras_3_writes_it_and_the_classic_form_is_still_read(name: str) -> None:
    model = NETWORKS[name](nb3d)
    text = model.to_json(indent=2)
    assert {"module", "class_name", "config", "registered_name"} <= set(json.loads(text))
    assert nb3d.models.model_from_json(text).to_json(indent=2) == text
    classic = json.dumps({"class_name": type(model).__name__, "config": model.get_config()})
    assert nb3d.models.model_from_json(classic).get_config() == model.get_config()


def test_an_h5_file_lists_the_weights_by_the_names_of_layers(tmp_path: Path) -> None:
    NETWORKS["nested"](nb3d).save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as file:
        root = file["model_weights"]
        assert list(root.attrs["layer_names"]) == ["z", "middle"]
        names = list(root["middle"].attrs["weight_names"])
        assert names[0] == "middle/inner/d1/kernel"
        assert all(f"middle/{name}" in root for name in names)


def test_a_long_list_of_layers_is_written_in_parts(tmp_path: Path) -> None:
    x = nb3d.Input((1,))
    chain = nb3d.Sequential([nb3d.Input((1,)), *(layers.Activation("relu") for _ in range(2100)), layers.Dense(1)])
    model = nb3d.Model(x, chain(x))
    chain.save(tmp_path / "chain.h5")
    with h5py.File(tmp_path / "chain.h5") as file:
        assert {"layer_names0", "layer_names1"} <= set(file["model_weights"].attrs)
    assert len(nb3d.models.load_model(tmp_path / "chain.h5").layers) == 2101
    assert model.count_params() == 2


def test_a_safetensors_file_names_weights_after_layers_and_needs_no_h5py(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    path = tmp_path / "model.safetensors"
    model = small_model()
    model.save(path)
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    assert size % 8 == 0
    assert header["conv/kernel"] == {"dtype": "F32", "shape": [3, 3, 3, 1, 2], "data_offsets": [0, 216]}
    assert header["__metadata__"]["format"] == "nb3d"
    values = np.frombuffer(content[8 + size :], "<f4", 54).reshape(3, 3, 3, 1, 2)
    np.testing.assert_array_equal(values, model.get_layer("conv").kernel.numpy())
    assert nb3d.models.load_model(path).name == "small"


def test_two_weights_of_one_name_cannot_be_stored_by_name(tmp_path: Path) -> None:
    x, inner_x = nb3d.Input((2,)), nb3d.Input((2,))
    inner = nb3d.Model(inner_x, layers.Dense(2, name="b")(inner_x), name="a")
    model = nb3d.Model(x, layers.Dense(2, name="a/b")(inner(x)))
    with pytest.raises(ModelFileError, match="one name: a/b/kernel"):
        model.save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_custom_class_is_found_in_an_h5_file_by_its_registered_name(tmp_path: Path) -> None:
    @nb3d.saving.register_keras_serializable("formats")
    class Doubled(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return ops.multiply(inputs, 2.0)

    x = nb3d.Input((2,))
    nb3d.Model(x, Doubled()(x)).save(tmp_path / "model.h5")
    copy = nb3d.models.load_model(tmp_path / "model.h5")
    assert copy.predict(np.ones((1, 2)), verbose=0).tolist() == [[2, 2]]
