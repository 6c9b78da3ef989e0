"""What is saved comes back bit for bit: from archives, from configuration and weights, into a network built anew."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from nb3d.saving import ModelFileError
from nb3d.saving.configuration import configuration
from tests.saving.networks import NETWORKS, predictions, randomize

layers = nb3d.layers
NAMES = sorted(NETWORKS)


class Scale(layers.Layer):
    """A layer of the user's own, with a weight and two layers inside."""

    def __init__(self, power: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.power = power
        self.first = layers.Dense(3)
        self.others = [layers.Dense(3), layers.Dense(3)]

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(name="factor", shape=(3,), initializer="ones")

    def call(self, inputs: Any) -> Any:
        y = self.first(inputs)
        for layer in self.others:
            y = layer(y)
        return y * self.factor**self.power

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power": self.power}


def double(x: Any) -> Any:
    return 2.0 * x


def made(name: str) -> Any:
    model = NETWORKS[name](nb3d)
    randomize(model)
    return model


def assert_same(model: Any, copy: Any, structure: Any = configuration) -> None:
    """The same structure, the same bits."""
    assert structure(copy) == structure(model)
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    for mine, its in zip(predictions(copy), predictions(model), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_comes_back_from_its_archive(name: str, tmp_path: Path) -> None:
    model = made(name)
    model.save(tmp_path / "model.keras")
    assert_same(model, nb3d.models.load_model(tmp_path / "model.keras"))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_comes_back_from_configuration_and_weights(name: str, tmp_path: Path) -> None:
    model = made(name)
    model.save_weights(tmp_path / "model.weights.h5")
    copy = nb3d.models.model_from_json(model.to_json())
    copy.load_weights(tmp_path / "model.weights.h5")
    assert_same(model, copy, nb3d.Model.to_json)


def test_weights_go_into_a_network_built_anew_whatever_its_layers_are_called(tmp_path: Path) -> None:
    model, other = made("convolutions"), NETWORKS["convolutions"](nb3d)
    assert {layer.name for layer in model.layers} != {layer.name for layer in other.layers}
    model.save(str(tmp_path / "model.keras"))
    other.load_weights(str(tmp_path / "model.keras"))
    np.testing.assert_array_equal(predictions(other)[0], predictions(model)[0])


def test_initial_weights_that_nobody_has_looked_at_are_saved_and_stay(tmp_path: Path) -> None:
    model = NETWORKS["chain"](nb3d)
    model.save(tmp_path / "model.keras")
    assert_same(model, nb3d.models.load_model(tmp_path / "model.keras"))


def test_layers_that_two_networks_of_a_model_share_are_one_again(tmp_path: Path) -> None:
    x, z = nb3d.Input((4,), name="x"), nb3d.Input((4,), name="z")
    inner = nb3d.Model(x, layers.Dense(4, name="d")(x), name="inner")
    y = nb3d.Input((4,), name="y")
    middle = nb3d.Model(y, inner(inner(y)), name="middle")
    model = nb3d.Model(z, [middle(z), inner(z)], name="outer")
    randomize(model)
    model.save(tmp_path / "model.keras")
    copy = nb3d.models.load_model(tmp_path / "model.keras")
    assert_same(model, copy)
    assert copy.get_layer("inner") is copy.get_layer("middle").get_layer("inner")
    assert len(copy.weights) == 2


def test_an_activation_with_weights_keeps_them(tmp_path: Path) -> None:
    x = nb3d.Input((5, 4, 3, 2))
    model = nb3d.Model(x, layers.Conv3D(2, 1, activation=layers.PReLU())(x))
    randomize(model)
    model.save(tmp_path / "model.keras")
    assert_same(model, nb3d.models.load_model(tmp_path / "model.keras"))


@pytest.mark.parametrize("how", ["custom_objects", "registered"])
def test_a_layer_of_one_s_own_comes_back_with_the_layers_inside_it(how: str, tmp_path: Path) -> None:
    cls = Scale
    if how == "registered":
        cls = nb3d.saving.register_keras_serializable("tests")(type("Registered", (Scale,), {}))
    x = nb3d.Input((2,))
    model = nb3d.Model(x, layers.Activation(double)(cls(power=2, name="scale")(x)))
    randomize(model)
    model.save(tmp_path / "model.keras")
    known: dict[str, Any] = {"double": double, **({} if how == "registered" else {"Scale": Scale})}
    copy = nb3d.models.load_model(tmp_path / "model.keras", custom_objects=known)
    assert copy.get_layer("scale").power == 2
    np.testing.assert_array_equal(predictions(copy)[0], predictions(model)[0])
    with pytest.raises(ModelFileError, match="double" if how == "registered" else "Scale"):
        nb3d.models.load_model(tmp_path / "model.keras")


def test_a_custom_object_may_stand_for_a_class_of_another_name(tmp_path: Path) -> None:
    class Mine(Scale):
        pass

    x = nb3d.Input((2,))
    model = nb3d.Model(x, Scale(name="scale")(x))
    model.save(tmp_path / "model.keras")
    copy = nb3d.models.load_model(tmp_path / "model.keras", custom_objects={"Scale": Mine})
    assert type(copy.get_layer("scale")) is Mine
    copy.save(tmp_path / "copy.keras")
    assert_same(model, nb3d.models.load_model(tmp_path / "copy.keras", custom_objects={"Scale": Scale}), lambda _: None)


def test_float64_stays_float64(tmp_path: Path) -> None:
    x = nb3d.Input((3,), dtype="float64")
    model = nb3d.Model(x, layers.Dense(2, dtype="float64")(x))
    model.save(tmp_path / "model.keras")
    copy = nb3d.models.load_model(tmp_path / "model.keras")
    assert copy.layers[1].kernel.dtype == "float64"
    np.testing.assert_array_equal(copy.get_weights()[0], model.get_weights()[0])


def test_an_operation_may_have_any_argument_that_keras_gives_it(tmp_path: Path) -> None:
    x = nb3d.Input((4, 4, 4, 2))
    y = ops.concatenate([ops.max_pool(x, 2, strides=1), ops.average_pool(x, (2, 2, 2), strides=1)], axis=1)
    model = nb3d.Model(x, ops.threshold(ops.squareplus(y, b=2.0), 0.2, -1.0))
    model.save(tmp_path / "model.keras")
    assert_same(model, nb3d.models.load_model(tmp_path / "model.keras"))


def test_how_a_model_was_to_be_trained_is_not_read(tmp_path: Path) -> None:
    model = made("chain")
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["compile_config"] = {"loss": {"class_name": "function", "config": "nobody_has_it"}, "optimizer": "adam"}
    with zipfile.ZipFile(tmp_path / "compiled.keras", "w") as archive:
        for name, content in {**members, "config.json": json.dumps(config)}.items():
            archive.writestr(name, content)
    assert_same(model, nb3d.models.load_model(tmp_path / "compiled.keras", compile=True, safe_mode=False))


@pytest.mark.parametrize("line", ["import nb3d", "import nb3d.models", "from nb3d.models import load_model as _"])
def test_the_functions_are_where_keras_has_them(line: str) -> None:
    code = f"{line}\nimport sys, nb3d.models as m; m.load_model, m.save_model; assert 'h5py' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2], env={**os.environ})


def test_one_function_has_two_names() -> None:
    assert nb3d.saving.load_model is nb3d.models.load_model
    assert nb3d.saving.save_model is nb3d.models.save_model
