"""Configurations of layers: what Keras 2 and 3 write is read, and what nb3d does not know is refused by name."""

import json
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops

layers = nb3d.layers
POLICY = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float64"},
    "registered_name": None,
    "shared_object_id": 140,
}


def written_by_keras_3(class_name: str, **config: Any) -> dict[str, Any]:
    return {
        "module": "keras.layers",
        "class_name": class_name,
        "config": {"name": "layer", "trainable": True, "dtype": POLICY, **config},
        "registered_name": None,
        "build_config": {"input_shape": [None, 4]},
        "name": "layer",
        "inbound_nodes": [],
    }


@nb3d.saving.register_keras_serializable(package="tests")
class Doubled(nb3d.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * 2.0


def twice(x: Any) -> Any:
    return x * 2.0


def test_a_dtype_policy_is_read_as_its_dtype() -> None:
    layer = layers.deserialize(written_by_keras_3("ReLU", max_value=None, negative_slope=0.0, threshold=0.0))
    assert type(layer) is layers.ReLU
    assert layer.dtype == "float64"


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("policy", [True, False])
def test_a_mixed_policy_keeps_weights_in_float32_and_so_it_computes_here(policy: bool, name: str) -> None:
    dtype = {**POLICY, "config": {"name": name}} if policy else name
    assert layers.deserialize(written_by_keras_3("Dense", units=2, dtype=dtype)).dtype == "float32"


@pytest.mark.parametrize("name", ["float16", "bfloat16", "int8_from_float32"])
def test_a_policy_of_another_kind_is_refused(name: str) -> None:
    config = written_by_keras_3("ReLU", dtype={**POLICY, "config": {"name": name}})
    with pytest.raises(ValueError, match=rf"'layer'.*{name}"):
        layers.deserialize(config)


@pytest.mark.parametrize(
    ("class_name", "config"),
    [
        ("Conv3DTranspose", {"filters": 1, "kernel_size": [2, 2, 2], "groups": 1}),
        ("SpatialDropout3D", {"rate": 0.5, "noise_shape": None}),
        ("BatchNormalization", {"axis": [4], "renorm": False, "synchronized": False}),
        ("BatchNormalization", {"axis": -1, "fused": True, "virtual_batch_size": None, "adjustment": None}),
        ("Dense", {"units": 2, "quantization_config": None, "lora_rank": None}),
        ("Dense", {"units": 2, "kernel_initializer": None}),
        ("Activation", {"activation": "linear", "autocast": True}),
        ("InputLayer", {"batch_shape": [None, 4], "sparse": False, "ragged": False, "optional": False}),
        ("InputLayer", {"batch_input_shape": [None, 4], "sparse": False}),
        ("Conv3D", {"filters": 1, "kernel_size": [2, 2, 2], "batch_input_shape": [None, 4, 4, 4, 1]}),
        ("LeakyReLU", {"alpha": 0.30000001192092896}),
    ],
    ids=str,
)
def test_keys_that_change_nothing_are_dropped(class_name: str, config: dict[str, Any]) -> None:
    layer = layers.deserialize(written_by_keras_3(class_name, **config))
    assert type(layer).__name__ == class_name
    assert layer.name == "layer"


def test_the_axis_of_keras_2_is_read() -> None:
    assert layers.deserialize(written_by_keras_3("BatchNormalization", axis=[4])).axis == 4


@pytest.mark.parametrize(
    ("class_name", "config", "word"),
    [
        ("Conv3DTranspose", {"filters": 1, "kernel_size": 2, "groups": 2}, "groups"),
        ("ReLU", {"colour": "red"}, "colour"),
        ("ReLU", {"weights": [[1.0]]}, "weights"),
        ("InputLayer", {"batch_shape": [None, 4], "ragged": True}, "ragged"),
        ("InputLayer", {"batch_shape": [None, 4], "sparse": True}, "parse"),
        ("BatchNormalization", {"renorm": True}, "renorm"),
        ("Dense", {}, "units"),
        ("Dense", {"units": 1e300}, "units"),
        ("Dense", {"units": "__import__('os')"}, "units"),
        ("Conv3D", {"filters": 2, "kernel_size": [3, 3, -3]}, "kernel_size"),
        ("Activation", {"activation": "os.system"}, "os.system"),
        ("Activation", {"activation": {"class_name": "function", "config": "system"}}, "system"),
        ("Dense", {"units": 1, "kernel_initializer": {"class_name": "Popen", "config": {"args": "ls"}}}, "Popen"),
        ("Dense", {"units": 1, "kernel_initializer": {"class_name": "Zeros", "config": {"args": "ls"}}}, "Zeros"),
        ("Dense", {"units": 1, "kernel_regularizer": {"config": {}}}, "class_name"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_with_layer_and_key(class_name: str, config: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word) as refusal:
        layers.deserialize(written_by_keras_3(class_name, **config))
    assert "'layer'" in str(refusal.value)


@pytest.mark.parametrize("config", [None, [], {}, {"class_name": 3}, {"class_name": "ReLU", "config": "x"}], ids=str)
def test_what_is_no_configuration_is_refused(config: Any) -> None:
    with pytest.raises(ValueError, match="config of a"):
        layers.deserialize(config)


def test_an_unknown_layer_is_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match=r"'ConvLSTM9D'.*custom_objects"):
        layers.deserialize(written_by_keras_3("ConvLSTM9D"))


# ---- custom objects


def test_a_registered_layer_stands_under_its_registered_name() -> None:
    config = json.loads(json.dumps(layers.serialize(Doubled(name="d"))))
    assert config["class_name"] == "tests>Doubled"
    assert type(layers.deserialize(config)) is Doubled


def test_keras_3_keeps_the_registered_name_beside_the_class_name() -> None:
    config = {**written_by_keras_3("Doubled"), "module": "models", "registered_name": "tests>Doubled"}
    layer = layers.deserialize(config)
    assert type(layer) is Doubled
    assert layer.dtype == "float64"


def test_custom_objects_come_before_nb3d_s_own() -> None:
    class Dense(nb3d.layers.Layer):
        pass

    layer = layers.deserialize({"class_name": "Dense", "config": {"name": "d"}}, custom_objects={"Dense": Dense})
    assert type(layer) is Dense


def test_a_custom_function_may_be_an_activation() -> None:
    config = written_by_keras_3(
        "Dense", units=2, activation={"module": "builtins", "class_name": "function", "config": "twice"}
    )
    with pytest.raises(ValueError, match="twice"):
        layers.deserialize(config)
    assert layers.deserialize(config, custom_objects={"twice": twice}).activation is twice
    registered = {**config["config"]["activation"], "registered_name": "p>twice"}
    config["config"]["activation"] = registered
    assert layers.deserialize(config, custom_objects={"p>twice": twice}).activation is twice


def test_what_is_no_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="no layer"):
        layers.deserialize({"class_name": "twice", "config": {}}, custom_objects={"twice": twice})


# ---- Lambda


@pytest.mark.parametrize(
    "function",
    ["<lambda>", {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None}}, "twice"],
    ids=str,
)
def test_a_lambda_is_refused_with_the_way_to_replace_it(function: Any) -> None:
    with pytest.raises(ValueError, match=r"'layer'.*nb3d.layers.Layer"):
        layers.deserialize(written_by_keras_3("Lambda", function=function, arguments={}))


def test_a_lambda_of_a_function_that_the_caller_gives_is_made_again() -> None:
    config = json.loads(json.dumps(layers.serialize(layers.Lambda(twice, name="l"))))
    layer = layers.deserialize(config, custom_objects={"twice": twice})
    np.testing.assert_array_equal(layer(np.ones(3, "float32")), [2, 2, 2])
    assert layers.serialize(layer) == config


def test_a_lambda_layer_of_the_caller_s_own_takes_its_place() -> None:
    class Mine(nb3d.layers.Layer):
        def __init__(self, function: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)

        def call(self, inputs: Any) -> Any:
            return ops.abs(inputs)

    config = {"class_name": "Lambda", "config": {"name": "l", "function": "<lambda>"}}
    assert type(layers.deserialize(config, custom_objects={"Lambda": Mine})) is Mine


def test_an_activity_regularizer_survives() -> None:
    layer = layers.deserialize(layers.serialize(layers.ReLU(activity_regularizer="l2")))
    assert layer.activity_regularizer.get_config() == {"l2": 0.01}
