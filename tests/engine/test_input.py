"""``Input`` and ``InputLayer``: every form of the arguments, and what they refuse."""

import json
from typing import Any

import numpy as np
import pytest

import nb3d
from tests.engine.helpers import evaluate

layers = nb3d.layers


@pytest.mark.parametrize(
    ("kwargs", "shape"),
    [
        ({"shape": (4, 5, 6, 1)}, (None, 4, 5, 6, 1)),
        ({"shape": [None, None, None, 2]}, (None, None, None, None, 2)),
        ({"shape": (3,)}, (None, 3)),
        ({"shape": (4, 1), "batch_size": 2}, (2, 4, 1)),
        ({"batch_shape": (2, 4, 1)}, (2, 4, 1)),
        ({"batch_shape": (None, 4, None)}, (None, 4, None)),
    ],
)
def test_every_form_of_the_shape(kwargs: dict[str, Any], shape: tuple[int | None, ...]) -> None:
    x = nb3d.Input(**kwargs)
    assert isinstance(x, nb3d.KerasTensor)
    assert x.shape == shape
    assert type(x.shape) is tuple
    assert x.dtype == "float32"
    assert isinstance(x._keras_history[0], layers.InputLayer)


def test_the_shape_may_come_by_place() -> None:
    assert nb3d.Input((3,), 5).shape == (5, 3)


@pytest.mark.parametrize("dtype", ["float64", "int32", "bool"])
def test_the_dtype_may_be_given(dtype: str) -> None:
    x = nb3d.Input((3,), dtype=dtype)
    assert x.dtype == dtype
    assert x._keras_history[0].dtype == dtype


def test_the_name_is_that_of_the_layer() -> None:
    x = nb3d.Input((3,), name="scan")
    assert x._keras_history[0].name == "scan"
    assert "scan" in x.name


def test_automatic_names_are_counted() -> None:
    nb3d.utils.clear_session()
    assert [nb3d.Input((3,))._keras_history[0].name for _ in range(3)] == [
        "input_layer",
        "input_layer_1",
        "input_layer_2",
    ]


def test_a_symbolic_tensor_may_be_wrapped() -> None:
    x = nb3d.Input(tensor=nb3d.KerasTensor((2, 3), "float64"))
    assert x.shape == (2, 3)
    assert x.dtype == "float64"
    layer = x._keras_history[0]
    assert isinstance(layer, layers.InputLayer)
    model = nb3d.Model(x, layers.Flatten()(x))
    np.testing.assert_array_equal(evaluate(model.outputs, {x: np.ones((2, 3))})[0], np.ones((2, 3)))


@pytest.mark.parametrize(
    ("kwargs", "word"),
    [
        ({"shape": (3,), "batch_shape": (None, 3)}, "shape"),
        ({"shape": (3,), "colour": "red"}, "colour"),
        ({}, "shape"),
        ({"name": "x"}, "shape"),
        ({"batch_size": 3}, "shape"),
    ],
    ids=["both shapes", "unknown keyword", "nothing", "a name only", "a batch size only"],
)
def test_these_arguments_are_refused(kwargs: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        nb3d.Input(**kwargs)


@pytest.mark.parametrize("bad", [(3, "wide"), (3.5,), (float("nan"), 1), (-2, 3), 7], ids=str)
def test_sizes_that_are_no_sizes_are_refused(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="shape"):
        nb3d.Input(bad)


def test_an_unknown_dtype_is_refused() -> None:
    with pytest.raises((TypeError, ValueError), match="float7"):
        nb3d.Input((3,), dtype="float7")


def test_an_input_layer_is_built_has_no_weights_and_ignores_trainable() -> None:
    layer = nb3d.Input((4, 1))._keras_history[0]
    assert layer.built
    assert list(layer.weights) == []
    assert layer.count_params() == 0
    layer.trainable = False
    assert list(layer.non_trainable_weights) == []
    assert layer.output_shape == (None, 4, 1)
    assert type(layer.output_shape) is tuple


def test_an_input_layer_made_by_hand_has_its_tensor() -> None:
    layer = layers.InputLayer(batch_shape=(None, 4, 1), name="scan")
    assert layer.output.shape == (None, 4, 1)
    assert layer.input is layer.output
    model = nb3d.Model(layer.output, layers.Flatten()(layer.output))
    assert model.layers[0] is layer


def test_an_input_layer_comes_back_from_its_config() -> None:
    layer = nb3d.Input(batch_shape=(2, 4, 1), dtype="float64", name="scan")._keras_history[0]
    config = json.loads(json.dumps(layer.get_config()))
    assert config["name"] == "scan"
    assert config["sparse"] is False
    assert (config.get("batch_input_shape") or config.get("batch_shape")) == [2, 4, 1]
    copy = layers.InputLayer.from_config(config)
    assert copy.name == "scan"
    assert copy.output.shape == (2, 4, 1)
    assert copy.output.dtype == "float64"


def test_the_old_spelling_of_the_config_is_read() -> None:
    config = {"batch_input_shape": [None, 4, 1], "dtype": "float32", "sparse": False, "name": "input_1"}
    assert layers.InputLayer.from_config(config).output.shape == (None, 4, 1)
