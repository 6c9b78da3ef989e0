"""Layers inside networks inside a model are named as such: ``network/layer``."""

from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d.saving import ModelFileError
from tests.saving.craft import members, write

layers = nb3d.layers
X = np.random.default_rng(0).standard_normal((2, 5, 4, 3, 2)).astype("float32")


def network() -> Any:
    """A network called twice, with a network inside, and a chain."""
    a = nb3d.Input((5, 4, 3, 2), name="a")
    y = layers.Conv3D(3, 3, padding="same", name="conv")(a)
    core = nb3d.Model(a, layers.Activation("relu", name="gate")(y), name="core")
    b = nb3d.Input((5, 4, 3, 2), name="b")
    stem = nb3d.Model(b, layers.Dropout(0.5, name="drop")(layers.Dense(2, name="back")(core(b))), name="stem")
    x = nb3d.Input((5, 4, 3, 2), name="x")
    head = nb3d.Sequential([layers.Dense(2, name="wide"), layers.Dense(1, name="narrow")], name="head")
    return nb3d.Model(x, head(stem(stem(x))), name="whole")


def core_of(model: Any) -> Any:
    return model.get_layer("stem").get_layer("core")


def test_what_layers_inside_compute_is_listed_before_the_network_that_they_are_in() -> None:
    model = network()
    outputs = model.layer_outputs(X)
    inner = ["stem/core/conv", "stem/core/gate", "stem/core", "stem/back", "stem/drop"]
    assert list(outputs) == ["x", *inner, "stem", "head/wide", "head/narrow", "head"]
    convolved, again = outputs["stem/core/conv"]
    np.testing.assert_allclose(convolved, core_of(model).get_layer("conv")(X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(again, core_of(model).get_layer("conv")(outputs["stem"][0]), rtol=1e-4, atol=1e-5)
    assert list(model.layer_outputs(X, layers=["head/wide", "stem/core"])) == ["stem/core", "head/wide"]
    with pytest.raises(ValueError, match="No such layer: 'stem/nobody'"):
        model.layer_outputs(X, layers=["stem/nobody"])


def test_a_plan_names_the_layers_inside() -> None:
    labels = [step.label for step in network().plan().schedule.graph.steps]
    assert [label for label in dict.fromkeys(labels) if label] == [
        "stem/core/conv", "stem/back", "head/wide", "head/narrow"
    ]  # fmt: skip


def test_compare_names_the_layer_inside_that_differs() -> None:
    model = network()
    values = dict(model.layer_outputs(X))
    values["stem/back"] = [values["stem/back"][0], values["stem/back"][1] + 1]
    first = nb3d.inspect.compare(model, values).first
    assert first is not None
    assert first.layer == "stem/back"


def test_the_first_value_that_is_not_finite_is_found_inside() -> None:
    model = network()
    core_of(model).get_layer("conv").bias.assign([0, np.nan, 0])
    with pytest.raises(FloatingPointError, match=r"Layer 'stem/core/conv'.*\(0, 0, 0, 0, 1\)"):
        model.predict(X, verbose=0, check_finite=True)


def test_a_self_test_names_the_layer_inside_that_computes_something_else(tmp_path: Any) -> None:
    model = network()
    model.save(tmp_path / "sound.keras", self_test=True)
    nb3d.models.load_model(tmp_path / "sound.keras", verify=True)
    model.get_layer("head").get_layer("wide").bias.assign([0.5, 0.0])
    model.save(tmp_path / "changed.keras")
    tested = members(tmp_path / "sound.keras")["self_test.json"]
    write(tmp_path / "changed.keras", {**members(tmp_path / "changed.keras"), "self_test.json": tested})
    with pytest.raises(ModelFileError, match="layer 'head/wide': self-test: the self-test fails"):
        nb3d.models.load_model(tmp_path / "changed.keras", verify=True)
