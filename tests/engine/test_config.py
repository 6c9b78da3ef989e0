"""``get_config`` and ``from_config``: what is stored, in which form, and that it comes back."""

import json
from typing import Any

import numpy as np
import pytest

import nb3d
from tests.engine.helpers import assert_close, count

layers = nb3d.layers

BASE = {"name", "trainable", "dtype"}
CONV = {
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
    "activation",
    "use_bias",
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
}


def through_json(config: Any) -> Any:
    return json.loads(json.dumps(config))


def copy_of(layer: Any) -> Any:
    """The layer that comes back from the JSON text of its configuration."""
    return type(layer).from_config(through_json(layer.get_config()))


def double(tensor: Any) -> Any:
    return tensor * 2.0


def test_the_base_keys_of_a_layer() -> None:
    config = nb3d.layers.Layer(name="base", trainable=False, dtype="float64").get_config()
    assert config.keys() >= BASE
    assert config["name"] == "base"
    assert config["trainable"] is False
    assert "batch_input_shape" not in config


def test_a_convolution_stores_its_arguments_and_nothing_of_weights_or_connections() -> None:
    layer = layers.Conv3D(2, 3)
    layer(nb3d.Input((5, 5, 5, 1)))
    config = layer.get_config()
    assert config.keys() >= BASE | CONV
    assert not config.keys() & {"rank", "weights", "inbound_nodes", "kernel", "bias", "batch_input_shape"}


def test_values_are_the_normalized_ones() -> None:
    config = layers.Conv3D(2, 3, padding="SAME", dilation_rate=[1, 2, 1], data_format="Channels_First").get_config()
    assert config["filters"] == 2
    assert tuple(config["kernel_size"]) == (3, 3, 3)
    assert tuple(config["strides"]) == (1, 1, 1)
    assert tuple(config["dilation_rate"]) == (1, 2, 1)
    assert config["padding"] == "same"
    assert config["data_format"] == "channels_first"
    assert config["activation"] == "linear"
    assert config["use_bias"] is True


def test_the_resolved_data_format_is_stored() -> None:
    assert layers.Conv3D(2, 3).get_config()["data_format"] == nb3d.config.image_data_format()


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({}, None),
        ({"input_shape": (4, 4, 4, 1)}, [None, 4, 4, 4, 1]),
        ({"input_shape": (4, 4, 4, 1), "batch_size": 3}, [3, 4, 4, 4, 1]),
        ({"batch_input_shape": (2, 4, 4, 4, 1)}, [2, 4, 4, 4, 1]),
        ({"batch_input_shape": (2, 4, 4, 4, 1), "input_shape": (9, 9, 9, 9)}, [2, 4, 4, 4, 1]),
    ],
    ids=["not given", "input_shape", "with batch_size", "batch_input_shape", "batch_input_shape wins"],
)
def test_batch_input_shape_is_stored_only_if_it_was_given(kwargs: dict[str, Any], expected: list[Any] | None) -> None:
    layer = layers.Conv3D(2, 3, **kwargs)
    stored = through_json(layer.get_config()).get("batch_input_shape")
    assert stored == expected
    assert through_json(copy_of(layer).get_config()).get("batch_input_shape") == expected


@pytest.mark.parametrize(
    "key", ["kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint"]
)
def test_absent_objects_are_none(key: str) -> None:
    assert layers.Conv3D(2, 3).get_config()[key] is None


def test_objects_are_stored_as_class_name_and_config() -> None:
    config = layers.Conv3D(
        2,
        3,
        kernel_regularizer="l2",
        activity_regularizer="l1",
        kernel_constraint="max_norm",
        bias_constraint="non_neg",
    ).get_config()
    assert config["bias_initializer"]["class_name"] == "Zeros"
    for key in (
        "kernel_initializer",
        "kernel_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    ):
        assert isinstance(config[key]["class_name"], str)
        assert isinstance(config[key]["config"], dict)


def test_a_function_is_stored_by_its_name() -> None:
    assert layers.Activation(nb3d.activations.relu).get_config()["activation"] == "relu"
    assert layers.Conv3D(2, 3, activation="ReLU".lower()).get_config()["activation"] == "relu"
    stored = layers.Dense(2, kernel_regularizer=double).get_config()["kernel_regularizer"]
    assert "double" in json.dumps(stored)


def test_an_object_without_name_or_config_cannot_be_stored() -> None:
    class Nameless:
        def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> np.ndarray:
            return np.zeros(shape, dtype)

    layer = layers.Dense(2, kernel_initializer=Nameless())
    with pytest.raises(ValueError, match="Nameless"):
        layer.get_config()


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv3D(2, (1, 2, 3), strides=(2, 1, 1), padding="same", activation="relu", name="c"),
        layers.Conv3D(2, 2, dilation_rate=2, use_bias=False, kernel_initializer="he_normal", name="d"),
        layers.Conv3D(2, 2, kernel_regularizer="l1_l2", kernel_constraint="unit_norm", trainable=False, name="e"),
        layers.Conv3DTranspose(2, 2, strides=2, name="t"),
        layers.BatchNormalization(momentum=0.5, epsilon=0.1, scale=False, name="n"),
        layers.MaxPooling3D((1, 2, 2), padding="same", name="p"),
        layers.ZeroPadding3D(((1, 2), (0, 1), (3, 0)), name="z"),
        layers.Dense(3, activation="softmax", dtype="float64", name="f"),
        layers.Dropout(0.25, noise_shape=(None, 1), seed=3, name="o"),
        layers.Concatenate(axis=1, name="j"),
        layers.Reshape((2, -1), name="r"),
    ],
    ids=lambda layer: f"{type(layer).__name__} {layer.name}",
)
def test_a_layer_comes_back_from_json(layer: Any) -> None:
    copy = copy_of(layer)
    assert type(copy) is type(layer)
    assert copy.name == layer.name
    assert copy.trainable == layer.trainable
    assert copy.dtype == layer.dtype
    assert through_json(copy.get_config()) == through_json(layer.get_config())


def test_what_comes_back_is_unbuilt_and_unconnected() -> None:
    layer = layers.Conv3D(2, 3, name="c")
    layer(nb3d.Input((5, 5, 5, 1)))
    copy = copy_of(layer)
    assert not copy.built
    assert list(copy.weights) == []
    assert list(copy.inbound_nodes) == []


def test_a_copy_with_the_same_weights_computes_the_same() -> None:
    layer = layers.Conv3D(2, 2, strides=(1, 2, 1), padding="SAME", activation="tanh", bias_initializer="ones")
    array = count((1, 3, 4, 5, 2)) / 100
    expected = layer(array)
    copy = copy_of(layer)
    copy.build(array.shape)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(array), expected)


@pytest.mark.parametrize("kind", ["initializers", "regularizers", "constraints"])
@pytest.mark.parametrize("bad", ["no such name", 3, {"class_name": "NoSuchClass", "config": {}}], ids=str)
def test_unknown_identifiers_are_refused(kind: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=r"NoSuchClass|no such name|3"):
        getattr(nb3d, kind).get(bad)


@pytest.mark.parametrize("kind", ["regularizers", "constraints"])
def test_none_stays_none(kind: str) -> None:
    assert getattr(nb3d, kind).get(None) is None


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="no such name"):
        layers.Conv3D(2, 3, activation="no such name")


def test_a_user_s_layer_comes_back_through_its_own_config() -> None:
    class Power(nb3d.layers.Layer):
        def __init__(self, exponent: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.exponent = exponent

        def call(self, inputs: Any) -> Any:
            return inputs**self.exponent

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "exponent": self.exponent}

    copy = copy_of(Power(3.0, name="cube"))
    assert (copy.exponent, copy.name) == (3.0, "cube")
    assert_close(copy(np.array([[2.0]], "float32")), [[8.0]])
