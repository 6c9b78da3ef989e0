"""A layer that stands in several places of a model is one object with one set of weights again, from every format."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d.models.lost_marks import with_lost_marks
from tests.saving.networks import predictions, randomize

layers = nb3d.layers


class Twice(layers.Layer):
    """Holds the layers that it is given: one under its own name, and a list."""

    def __init__(self, first: Any, others: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = layers.deserialize(first) if isinstance(first, dict) else first
        self.others = [layers.deserialize(item) if isinstance(item, dict) else item for item in others]

    def call(self, inputs: Any) -> Any:
        y = self.first(inputs)
        for layer in self.others:
            y = layer(y)
        return y

    def get_config(self) -> dict[str, Any]:
        others = [layers.serialize(layer) for layer in self.others]
        return {**super().get_config(), "first": layers.serialize(self.first), "others": others}


def net() -> Any:
    x = nb3d.Input((4,), name="inside")
    return nb3d.Model(x, layers.Dense(4, name="d")(x), name="net")


def in_a_time_distributed() -> Any:
    inner, steps, x = net(), nb3d.Input((3, 4), name="steps"), nb3d.Input((4,), name="x")
    return nb3d.Model([steps, x], [layers.TimeDistributed(inner, name="td")(steps), inner(x)])


def in_two_time_distributed() -> Any:
    inner, steps = net(), nb3d.Input((3, 4), name="steps")
    return nb3d.Model(steps, layers.TimeDistributed(inner, name="b")(layers.TimeDistributed(inner, name="a")(steps)))


def in_a_spectral_normalization() -> Any:
    dense, x = layers.Dense(4, name="d"), nb3d.Input((4,), name="x")
    return nb3d.Model(x, [layers.SpectralNormalization(dense, name="sn")(x), dense(x)])


def in_a_wrapper_of_a_network_inside() -> Any:
    inner, steps, x = net(), nb3d.Input((3, 4), name="steps"), nb3d.Input((4,), name="x")
    middle = nb3d.Model(steps, layers.TimeDistributed(inner, name="td")(steps), name="middle")
    outer = nb3d.Input((3, 4), name="outer")
    return nb3d.Model([outer, x], [middle(outer), inner(x)])


def in_a_layer_of_one_s_own() -> Any:
    heads, dense, x = layers.Dense(4, name="heads"), layers.Dense(4, name="d"), nb3d.Input((4,), name="x")
    return nb3d.Model(x, [Twice(heads, [dense, heads], name="twice")(x), dense(heads(x))])


def as_an_activation() -> Any:
    slopes, x = layers.PReLU(alpha_initializer="ones", name="slopes"), nb3d.Input((4,), name="x")
    return nb3d.Model(x, slopes(layers.Dense(4, activation=slopes, name="d")(x)))


def in_two_chains() -> Any:
    dense, x = layers.Dense(4, name="d"), nb3d.Input((4,), name="x")
    chains = [nb3d.Sequential([layers.Dense(4, name=name), dense], name=f"chain_{name}") for name in "ab"]
    return nb3d.Model(x, [chain(x) for chain in chains])


def in_a_chain_of_chains() -> Any:
    dense = layers.Dense(4, name="d")
    chains = [nb3d.Sequential([layers.Dense(4, name=name), dense], name=f"chain_{name}") for name in "ab"]
    return nb3d.Sequential([nb3d.Input((4,), name="x"), *chains], name="outer")


def in_two_networks_and_outside() -> Any:
    dense, z = layers.Dense(4, name="d"), nb3d.Input((4,), name="z")
    ends = [dense(z)]
    for name in "ab":
        x = nb3d.Input((4,), name=f"inside_{name}")
        ends.append(nb3d.Model(x, layers.Dense(4, name=name)(dense(x)), name=f"net_{name}")(z))
    return nb3d.Model(z, ends)


MODELS: dict[str, Callable[[], Any]] = {
    model.__name__: model
    for model in (
        in_a_time_distributed, in_two_time_distributed, in_a_spectral_normalization, in_a_wrapper_of_a_network_inside,
        in_a_layer_of_one_s_own, as_an_activation, in_two_chains, in_a_chain_of_chains, in_two_networks_and_outside,
    )
}  # fmt: skip


def again(model: Any, how: str, folder: Path) -> Any:
    """The model, from a file or from its configuration."""
    known = {"Twice": Twice}
    if how in ("keras", "h5", "safetensors"):
        model.save(folder / f"model.{how}")
        return nb3d.models.load_model(folder / f"model.{how}", custom_objects=known)
    if how == "json":
        copy = nb3d.models.model_from_json(model.to_json(), custom_objects=known)
    else:
        copy = type(model).from_config(model.get_config(), custom_objects=known)
    copy.set_weights(model.get_weights())
    return copy


@pytest.mark.parametrize("how", ["keras", "h5", "safetensors", "json", "config"])
@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_shared_layer_is_one_again(name: str, how: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    randomize(model)
    copy = again(model, how, tmp_path)
    assert [weight.shape for weight in copy.weights] == [weight.shape for weight in model.weights]
    for value, expected in zip(predictions(copy), predictions(model), strict=True):
        np.testing.assert_array_equal(value, expected)


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": name, "units": 4}, **more}


def wrapped(inner: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "TimeDistributed", "config": {"name": "td", "layer": inner}}


def test_a_mark_that_stands_alone_belongs_to_the_one_entry_that_says_the_same() -> None:
    config = {"layers": [wrapped(entry("d")), entry("other"), entry("d", shared_object_id=7)]}
    mended = with_lost_marks(config)
    assert mended["layers"][0]["config"]["layer"]["shared_object_id"] == 7
    assert mended["layers"][1:] == config["layers"][1:]
    assert "shared_object_id" not in config["layers"][0]["config"]["layer"]


@pytest.mark.parametrize(
    "layers",
    [
        [wrapped(entry("d")), entry("d")],
        [wrapped(entry("d")), entry("d", shared_object_id=7), entry("d", shared_object_id=7)],
        [wrapped(entry("d")), wrapped(entry("d")), entry("d", shared_object_id=7)],
        [wrapped(entry("e")), entry("d", shared_object_id=7)],
        [wrapped(entry("d", shared_object_id=8)), entry("d", shared_object_id=7)],
        [wrapped(entry("d")), entry("d", shared_object_id=[7])],
    ],
    ids=["no mark", "both marked", "two that say the same", "another name", "another mark", "no number"],
)
def test_other_marks_stay_as_they_are(layers: list[Any]) -> None:
    config = {"layers": layers}
    assert with_lost_marks(config) is config


def test_a_layer_stands_in_a_network_once() -> None:
    x = nb3d.Input((4,), name="x")
    config = nb3d.Model(x, layers.Dense(4, name="b")(layers.Dense(4, name="a")(x))).get_config()
    for entry in config["layers"][1:]:
        entry["shared_object_id"] = 7
    with pytest.raises(ValueError, match="'b' is marked as one that stands in the network already"):
        nb3d.Model.from_config(config)


def test_an_attribute_may_hold_a_layer_where_the_configuration_has_a_number(tmp_path: Path) -> None:
    class Wide(layers.Layer):
        def __init__(self, dense: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.width, self.dense = dense, layers.Dense(dense)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "dense": self.width}

    x = nb3d.Input((4,))
    nb3d.Model(x, Wide(3, name="wide")(x)).save(tmp_path / "model.keras")
    copy = nb3d.models.load_model(tmp_path / "model.keras", custom_objects={"Wide": Wide})
    assert copy.get_layer("wide").width == 3
