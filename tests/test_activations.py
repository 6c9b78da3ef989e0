"""Activations by name; their values are judged in ``tests/layers/test_golden.py``."""

import numpy as np
import pytest

import nb3d
from nb3d import activations


def test_none_is_linear() -> None:
    x = np.ones(3)
    assert activations.get(None) is activations.linear
    assert activations.linear(x) is x


@pytest.mark.parametrize("name", activations.ACTIVATIONS.names())
def test_every_name_comes_back_from_what_serialize_says(name: str) -> None:
    found = activations.get(name)
    assert callable(found)
    again = activations.deserialize(activations.serialize(found))
    assert again is found or type(again) is type(found)


@pytest.mark.parametrize(("alias", "name"), [("swish", "silu"), ("hard_swish", "hard_silu")])
def test_aliases_are_stored_under_the_name_of_keras_3(alias: str, name: str) -> None:
    assert activations.get(alias) is activations.get(name)
    assert activations.serialize(activations.get(alias)) == name


def test_a_callable_stays_itself() -> None:
    layer = nb3d.layers.LeakyReLU()
    assert activations.get(np.tanh) is np.tanh
    assert activations.get(layer) is layer


def test_a_layer_is_stored_as_one() -> None:
    stored = activations.serialize(nb3d.layers.LeakyReLU(0.1, name="f"))
    assert stored["class_name"] == "LeakyReLU"
    assert activations.get(stored).negative_slope == 0.1


@pytest.mark.parametrize("bad", ["no such name", 3, {"class_name": "Nothing", "config": {}}, {}, ["relu"]], ids=str)
def test_what_is_no_activation_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="activation"):
        activations.get(bad)


def test_the_defaults_of_keras() -> None:
    x = np.array([-1.0, 1.0, 2.0])
    np.testing.assert_allclose(activations.leaky_relu(x), [-0.2, 1, 2])
    np.testing.assert_allclose(activations.gelu(x), [-0.158655, 0.841345, 1.9545], rtol=1e-5)
    np.testing.assert_allclose(activations.gelu(x, approximate=True), [-0.158808, 0.841192, 1.954598], rtol=1e-5)
    np.testing.assert_allclose(activations.relu(x, 0.5, 1.5, 1.0), [-1.0, 0, 1.5])
    np.testing.assert_allclose(activations.threshold(x, 1.0, -7.0), [-7, -7, 2])


def test_an_activation_of_a_symbol_is_a_node() -> None:
    y = activations.get("relu")(nb3d.Input((3,)))
    assert y._keras_history[0].class_name == "Relu"
