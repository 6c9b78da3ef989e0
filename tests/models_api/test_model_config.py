"""``Model.get_config`` and ``from_config``: layers, nodes and their indices, and the network that comes back."""

from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from tests.engine.helpers import assert_close
from tests.models_api.helpers import (
    a_b_a_b,
    conv_and_norm,
    count,
    ends,
    names,
    rebuilt,
    references,
    through_json,
    two_by_two,
)

layers = nb3d.layers


class Tagged(nb3d.layers.Layer):
    """Accepts any object beside its input."""

    def call(self, inputs: Any, tag: Any = None) -> Any:
        return inputs + 0.0


def test_the_configuration_has_name_layers_and_both_ends() -> None:
    config = through_json(two_by_two().get_config())
    assert config["name"] == "two_by_two"
    assert {layer["name"] for layer in config["layers"]} == set(names(two_by_two().layers))
    for layer in config["layers"]:
        assert layer.keys() >= {"name", "class_name", "config", "inbound_nodes"}
        assert layer["config"]["name"] == layer["name"]
    assert ends(config, "input_layers") == [("left", 0, 0), ("right", 0, 0)]
    assert ends(config, "output_layers") == [("head", 0, 0), ("shared", 0, 0)]


def test_the_nodes_of_shared_layers_refer_to_each_other() -> None:
    x, y, _, _ = a_b_a_b()
    config = through_json(nb3d.Model(x, y).get_config())
    assert [layer["name"] for layer in config["layers"]] == ["x", "B", "A"]
    assert references(config, "x") == []
    assert references(config, "B") == [[("x", 0, 0)], [("A", 0, 0)]]
    assert references(config, "A") == [[("B", 0, 0)], [("B", 1, 0)]]
    assert ends(config, "output_layers") == [("A", 1, 0)]


def test_only_the_nodes_of_this_network_are_written_and_renumbered() -> None:
    x, _, a, b = a_b_a_b()
    z = b(a(x))
    config = through_json(nb3d.Model(x, z).get_config())
    assert references(config, "A") == [[("x", 0, 0)]]
    assert references(config, "B") == [[("A", 0, 0)]]
    assert ends(config, "output_layers") == [("B", 0, 0)]


def test_the_place_of_a_tensor_among_several_outputs_is_written() -> None:
    inner = two_by_two()
    left, right = nb3d.Input((4,), name="l"), nb3d.Input((5,), name="r")
    first, second = inner([left, right])
    config = through_json(nb3d.Model([left, right], layers.Concatenate(name="join")([second, first])).get_config())
    assert [(name, tensor) for name, _, tensor in references(config, "join")[0]] == [
        ("two_by_two", 1),
        ("two_by_two", 0),
    ]


def test_a_model_within_a_model_counts_its_calls_from_one() -> None:
    inner_x = nb3d.Input((3,), name="inner_x")
    inner = nb3d.Model(inner_x, layers.Dense(3, name="dense")(inner_x), name="inner")
    x = nb3d.Input((3,), name="x")
    config = through_json(nb3d.Model(x, inner(inner(x))).get_config())
    assert len(references(config, "inner")) == 2
    assert ends(config, "output_layers") == [("inner", 2, 0)]
    copy = nb3d.Model.from_config(config)
    assert through_json(copy.get_config()) == config


# ---- what comes back


@pytest.mark.parametrize("how", ["from_config", "json", "clone"])
def test_a_network_of_shared_layers_comes_back(how: str) -> None:
    x, y, _, _ = a_b_a_b()
    model = nb3d.Model(x, y, name="abab")
    copy = {
        "from_config": lambda: nb3d.Model.from_config(through_json(model.get_config())),
        "json": lambda: nb3d.models.model_from_json(model.to_json()),
        "clone": lambda: nb3d.models.clone_model(model),
    }[how]()
    assert copy.name == "abab"
    assert names(copy.layers) == ["x", "B", "A"]
    assert not set(map(id, copy.layers)) & set(map(id, model.layers))
    assert [len(copy.get_layer(name).inbound_nodes) for name in "AB"] == [2, 2]
    assert through_json(copy.get_config()) == through_json(model.get_config())
    copy.set_weights(model.get_weights())
    array = count((2, 3))
    assert_close(copy(array), model(array))


@pytest.mark.parametrize("make", [two_by_two, conv_and_norm])
def test_a_copy_with_the_same_weights_computes_the_same(make: Any) -> None:
    model = make()
    copy = rebuilt(model)
    arrays = [count((2, *tensor.shape[1:])) for tensor in model.inputs]
    for result, expected in zip(copy.predict(arrays, verbose=0), model.predict(arrays, verbose=0), strict=True):
        assert_close(result, expected)


def test_models_within_models_come_back() -> None:
    inner = conv_and_norm()
    x = nb3d.Input((4, 4, 4, 1), name="outer")
    middle = nb3d.Model(x, inner(inner(x)), name="middle")
    z = nb3d.Input((4, 4, 4, 1), name="z")
    model = nb3d.Model(z, layers.Add(name="sum")([middle(z), inner(z)]), name="whole")
    copy = rebuilt(model)
    assert names(copy.layers) == names(model.layers)
    array = count((1, 4, 4, 4, 1))
    assert_close(rebuilt(middle).predict(array, verbose=0), middle.predict(array, verbose=0))
    assert len(copy.inputs) == len(copy.outputs) == 1


def test_call_arguments_come_back() -> None:
    x = nb3d.Input((400,), name="x")
    model = nb3d.Model(x, layers.Dropout(0.5, name="drop")(x, training=True))
    ones = np.ones((2, 400), "float32")
    assert 0.3 < (rebuilt(model)(ones) == 0).mean() < 0.7


def test_a_call_argument_that_is_no_json_is_dropped_with_a_warning() -> None:
    x = nb3d.Input((3,), name="x")
    model = nb3d.Model(x, Tagged(name="tagged")(x, tag=object()))
    with pytest.warns(UserWarning, match="tagged"):
        config = model.get_config()
    copy = nb3d.Model.from_config(through_json(config), custom_objects={"Tagged": Tagged})
    np.testing.assert_array_equal(copy(count((2, 3))), count((2, 3)))


def test_a_user_s_layer_comes_back_through_custom_objects() -> None:
    x = nb3d.Input((3,), name="x")
    model = nb3d.Model(x, Tagged(name="tagged")(x))
    config = through_json(model.get_config())
    assert type(nb3d.Model.from_config(config, custom_objects={"Tagged": Tagged}).layers[1]) is Tagged
    with pytest.raises(ValueError, match="Tagged"):
        nb3d.Model.from_config(config)


def test_operations_come_back() -> None:
    x, z = nb3d.Input((3,), name="x"), nb3d.Input((3,), name="z")
    dense = layers.Dense(3, name="dense")
    y = ops.relu(dense(x) * 2.0 - z) + dense(z)[:, ::-1] ** 2
    model = nb3d.Model([x, z], [ops.concatenate([y, 1.0 - y], axis=-1), ops.sum(y, axis=-1, keepdims=True)])
    arrays = [count((2, 3)), count((2, 3), 4.0)]
    for result, expected in zip(rebuilt(model)(arrays), model(arrays), strict=True):
        assert_close(result, expected)


# ---- configurations that are wrong


def with_inputs_of(config: Any, layer_name: str, old: str, new: str) -> Any:
    """The configuration in which a layer takes its input from another layer."""

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: replaced(part) for key, part in value.items()}
        if isinstance(value, list):
            return [replaced(part) for part in value]
        return new if value == old else value

    for layer in config["layers"]:
        if layer["name"] == layer_name:
            layer["inbound_nodes"] = replaced(layer["inbound_nodes"])
    return config


def chain_config() -> Any:
    x = nb3d.Input((3,), name="x")
    y = layers.Dense(3, name="c")(layers.Dense(3, name="b")(layers.Dense(3, name="a")(x)))
    return through_json(nb3d.Model(x, y, name="chain").get_config())


@pytest.mark.parametrize("source", ["a", "b", "c"])
def test_a_cycle_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"\b[abc]\b"):
        nb3d.Model.from_config(with_inputs_of(chain_config(), "a", "x", source))


def test_a_reference_to_a_layer_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        nb3d.Model.from_config(with_inputs_of(chain_config(), "b", "a", "nowhere"))


def test_an_unknown_class_is_refused_by_name() -> None:
    config = chain_config()
    config["layers"][1]["class_name"] = "Densest"
    with pytest.raises(ValueError, match="Densest"):
        nb3d.Model.from_config(config)
