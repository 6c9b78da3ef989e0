"""``Sequential``: a list of layers that behaves as a layer."""

from typing import Any

import numpy as np
import pytest

import nb3d
from tests.engine.helpers import assert_close
from tests.models_api.helpers import count, names, rebuilt

layers = nb3d.layers


def small(**first: Any) -> Any:
    """Convolution and pooling; `first` goes to the first layer."""
    return nb3d.Sequential(
        [
            layers.Conv3D(2, 3, name="conv", **first),
            layers.MaxPooling3D(2, name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="head"),
        ],
        name="small",
    )


def test_layers_hold_what_was_added_and_no_input_layer() -> None:
    model = small(input_shape=(6, 6, 6, 1))
    assert names(model.layers) == ["conv", "pool", "flat", "head"]
    assert nb3d.models.Sequential is nb3d.Sequential
    assert isinstance(model, nb3d.Model)


@pytest.mark.parametrize(
    ("first", "batch"),
    [
        ({"input_shape": (6, 6, 6, 1)}, None),
        ({"input_shape": (6, 6, 6, 1), "batch_size": 4}, 4),
        ({"batch_input_shape": (2, 6, 6, 6, 1)}, 2),
    ],
    ids=["input_shape", "batch_size", "batch_input_shape"],
)
def test_the_shape_of_the_first_layer_makes_the_input(first: dict[str, Any], batch: int | None) -> None:
    model = small(**first)
    assert model.built
    assert model.inputs[0].shape == (batch, 6, 6, 6, 1)
    assert model.outputs[0].shape == (batch, 3)
    assert model.output_shape == (batch, 3)
    assert [len(layer.weights) for layer in model.layers] == [2, 0, 0, 2]


@pytest.mark.parametrize("how", ["list", "add"])
def test_an_input_may_come_first(how: str) -> None:
    parts = [nb3d.Input((6, 6, 6, 1)), layers.Conv3D(2, 3), layers.Flatten()]
    model = nb3d.Sequential(parts if how == "list" else None)
    if how == "add":
        for part in parts:
            model.add(part)
    assert len(model.layers) == 2
    assert model.output_shape == (None, 4 * 4 * 4 * 2)


def test_layers_added_later_are_connected_to_the_last() -> None:
    model = small(input_shape=(6, 6, 6, 1))
    model.add(layers.Dense(5, name="more"))
    assert model.output_shape == (None, 5)
    assert model.get_layer("more").input is model.get_layer("head").output
    assert model(count((2, 6, 6, 6, 1))).shape == (2, 5)


def test_without_a_shape_the_first_call_builds() -> None:
    model = small()
    assert list(model.weights) == []
    result = model(count((2, 6, 6, 6, 1)))
    assert result.shape == (2, 3)
    assert len(model.weights) == 4
    assert model.count_params() == (27 * 2 + 2) + (16 * 3 + 3)


def test_count_params_of_a_shaped_sequential_needs_no_call() -> None:
    assert small(input_shape=(6, 6, 6, 1)).count_params() == (27 * 2 + 2) + (16 * 3 + 3)


def test_it_computes_what_its_layers_compute() -> None:
    model = small(input_shape=(6, 6, 6, 1))
    array = count((3, 6, 6, 6, 1))
    expected: Any = array
    for layer in model.layers:
        expected = layer(expected)
    assert_close(model(array), expected)
    assert_close(model.predict(array, verbose=0), expected)


def test_it_is_a_layer_of_other_models() -> None:
    model = small(input_shape=(6, 6, 6, 1))
    x = nb3d.Input((6, 6, 6, 1), name="x")
    y = model(x)
    assert y._keras_history[0] is model
    outer = nb3d.Model(x, y)
    assert names(outer.layers) == ["x", "small"]
    assert outer.weights == model.weights
    array = count((3, 6, 6, 6, 1))
    assert_close(outer(array), model(array))
    inside = nb3d.Sequential([nb3d.Input((6, 6, 6, 1)), model, layers.Dense(2)])
    assert inside.output_shape == (None, 2)


def test_an_unshaped_sequential_within_a_model_is_built_by_its_call() -> None:
    x = nb3d.Input((6, 6, 6, 1))
    model = small()
    assert nb3d.Model(x, model(x)).output_shape == (None, 3)
    assert len(model.weights) == 4


def test_the_weights_are_those_of_the_layers_in_order() -> None:
    model = small(input_shape=(6, 6, 6, 1))
    assert model.weights == [weight for layer in model.layers for weight in layer.weights]
    arrays = [array + 1 for array in model.get_weights()]
    model.set_weights(arrays)
    for read, array in zip(model.get_weights(), arrays, strict=True):
        np.testing.assert_array_equal(read, array)


def test_get_layer_counts_only_what_was_added() -> None:
    model = small(input_shape=(6, 6, 6, 1))
    assert model.get_layer(index=0).name == "conv"
    assert model.get_layer("flat") is model.layers[2]
    with pytest.raises(ValueError, match="4"):
        model.get_layer(index=4)


def test_it_comes_back_from_its_configuration() -> None:
    model = small(input_shape=(6, 6, 6, 1))
    copy = rebuilt(model)
    assert type(copy) is nb3d.Sequential
    assert names(copy.layers) == names(model.layers)
    array = count((3, 6, 6, 6, 1))
    assert_close(copy(array), model(array))


def test_an_unbuilt_one_comes_back_unbuilt() -> None:
    copy = nb3d.Sequential.from_config(small().get_config())
    assert names(copy.layers) == ["conv", "pool", "flat", "head"]
    assert list(copy.weights) == []


def test_a_model_that_holds_one_comes_back() -> None:
    x = nb3d.Input((6, 6, 6, 1), name="x")
    model = nb3d.Model(x, layers.Dense(2, name="last")(small(input_shape=(6, 6, 6, 1))(x)))
    copy = rebuilt(model)
    assert names(copy.get_layer("small").layers) == ["conv", "pool", "flat", "head"]
    array = count((3, 6, 6, 6, 1))
    assert_close(copy(array), model(array))


@pytest.mark.parametrize("bad", [3, "conv", None, layers.Conv3D], ids=str)
def test_what_is_no_layer_is_refused(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"[Ll]ayer"):
        nb3d.Sequential().add(bad)


def test_two_layers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        nb3d.Sequential([nb3d.Input((3,)), layers.Dense(2, name="twice"), layers.Dense(2, name="twice")])


def test_an_input_of_another_rank_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ndim|small|conv"):
        small(input_shape=(6, 6, 6, 1))(count((2, 6, 6, 1)))
