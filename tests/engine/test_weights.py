"""Variables of layers: making them, their order, reading and writing them."""

from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from tests.engine.helpers import assert_close, count, evaluate, same_objects, values_of

layers = nb3d.layers


class Mixed(nb3d.layers.Layer):
    """Four weights, trainable and not by turns."""

    def build(self, input_shape: Any) -> None:
        for index in range(4):
            self.add_weight(name=f"w{index}", shape=(index + 1,), initializer="zeros", trainable=index % 2 == 1)
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return inputs + 1.0


def built(layer: Any, *shape: int) -> Any:
    layer.build((None, *shape))
    return layer


def short_names(weights: Any) -> list[str]:
    return [weight.name.removesuffix(":0").rsplit("/", 1)[-1] for weight in weights]


# ---- making a variable


@pytest.mark.parametrize("method", ["add_weight", "add_variable"])
def test_a_variable_has_what_was_asked_for(method: str) -> None:
    nb3d.utils.clear_session()
    layer = nb3d.layers.Layer(name="stem")
    limit = nb3d.constraints.get("non_neg")
    variable = getattr(layer, method)(
        name="alpha",
        shape=(2, 3),
        dtype="float64",
        initializer=nb3d.initializers.get("ones"),
        trainable=False,
        constraint=limit,
    )
    assert isinstance(variable, nb3d.Variable)
    assert variable.name.removesuffix(":0") == "stem/alpha"
    assert tuple(variable.shape) == (2, 3)
    assert np.dtype(variable.dtype) == np.float64
    assert variable.trainable is False
    assert variable.constraint is limit
    np.testing.assert_array_equal(variable.numpy(), np.ones((2, 3)))
    assert same_objects(layer.weights, [variable])


def test_the_arguments_of_add_variable_may_come_by_place() -> None:
    layer = nb3d.layers.Layer(name="stem")
    variable = layer.add_variable("a", (1, 2), "float64", nb3d.initializers.get("ones"), None, False)
    assert tuple(variable.shape) == (1, 2)
    assert np.dtype(variable.dtype) == np.float64
    assert same_objects(layer.non_trainable_weights, [variable])


def test_a_constraint_is_only_attached() -> None:
    variable = nb3d.layers.Layer().add_weight(
        name="a", shape=(2,), initializer=nb3d.initializers.Constant(-1.0), constraint="non_neg"
    )
    assert callable(variable.constraint)
    np.testing.assert_array_equal(variable.numpy(), [-1.0, -1.0])


def test_the_dtype_of_a_variable_defaults_to_the_layer_s() -> None:
    assert np.dtype(nb3d.layers.Layer().add_variable(name="a", shape=(1,)).dtype) == np.float32
    assert np.dtype(nb3d.layers.Layer(dtype="float64").add_variable(name="a", shape=(1,)).dtype) == np.float64


def test_without_initializer_floats_are_glorot_uniform() -> None:
    values = nb3d.layers.Layer().add_variable(name="a", shape=(30, 20)).numpy()
    limit = np.sqrt(6 / 50)
    assert np.abs(values).max() <= limit
    assert np.abs(values).max() > 0.9 * limit
    assert abs(values.mean()) < 0.1 * limit


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_without_initializer_integers_and_booleans_are_zeros(dtype: str) -> None:
    values = nb3d.layers.Layer().add_variable(name="a", shape=(5,), dtype=dtype).numpy()
    assert values.dtype == np.dtype(dtype)
    assert not values.any()


@pytest.mark.parametrize(
    "initializer",
    [
        "ones",
        {"class_name": "Ones", "config": {}},
        {"class_name": "Constant", "config": {"value": 1.0}},
        lambda shape, dtype=None, **kwargs: np.ones(shape, dtype),
    ],
    ids=["string", "dictionary", "dictionary with arguments", "callable"],
)
def test_add_weight_takes_every_spelling_of_an_initializer(initializer: Any) -> None:
    weight = nb3d.layers.Layer().add_weight(name="a", shape=(2, 2), initializer=initializer)
    np.testing.assert_array_equal(weight.numpy(), np.ones((2, 2)))
    assert weight.numpy().dtype == np.float32


def test_a_regularizer_adds_one_unconditional_loss() -> None:
    layer = nb3d.layers.Layer()
    layer.add_weight(name="a", shape=(3,), initializer="ones", regularizer=lambda w: 2.0 * ops.sum(w))
    layer.add_weight(name="b", shape=(3,), initializer="ones", regularizer=lambda w: None)
    assert len(layer.losses) == len(layer.get_losses_for(None)) == 1
    assert_close(evaluate(layer.losses)[0], 6.0)


def test_a_second_variable_of_one_name_is_refused_before_build() -> None:
    layer = nb3d.layers.Layer(name="stem")
    layer.add_variable(name="a", shape=(1,))
    with pytest.raises(ValueError, match="a"):
        layer.add_variable(name="a", shape=(1,))
    assert len(layer.weights) == 1


def test_after_build_an_existing_variable_is_returned() -> None:
    layer = built(layers.Dense(2), 3)
    assert layer.add_variable(name="kernel", shape=(3, 2)) is layer.kernel
    assert len(layer.weights) == 2


def test_after_build_a_new_variable_is_refused() -> None:
    layer = built(layers.Dense(2, name="dense"), 3)
    with pytest.raises(ValueError, match="extra"):
        layer.add_variable(name="extra", shape=(1,))
    assert len(layer.weights) == 2


# ---- trainable or not


def test_weights_are_the_trainable_ones_and_then_the_others() -> None:
    layer = built(Mixed(), 2)
    assert short_names(layer.trainable_weights) == ["w1", "w3"]
    assert short_names(layer.non_trainable_weights) == ["w0", "w2"]
    assert short_names(layer.weights) == ["w1", "w3", "w0", "w2"]


def test_freezing_moves_all_to_the_other_list_in_the_same_order() -> None:
    layer = built(Mixed(), 2)
    order = list(layer.weights)
    layer.trainable = False
    assert list(layer.trainable_weights) == []
    assert same_objects(layer.non_trainable_weights, order)
    assert same_objects(layer.weights, order)
    layer.trainable = True
    assert short_names(layer.trainable_weights) == ["w1", "w3"]
    assert same_objects(layer.weights, order)


def test_a_layer_born_frozen_can_be_thawed() -> None:
    layer = built(layers.Dense(2, trainable=False), 3)
    assert list(layer.trainable_weights) == []
    assert len(layer.non_trainable_weights) == 2
    layer.trainable = True
    assert short_names(layer.trainable_weights) == ["kernel", "bias"]
    assert list(layer.non_trainable_weights) == []


@pytest.mark.parametrize("kind", ["", "trainable_", "non_trainable_"])
def test_variables_is_another_name_for_weights(kind: str) -> None:
    layer = built(layers.BatchNormalization(), 3)
    assert same_objects(getattr(layer, f"{kind}variables"), getattr(layer, f"{kind}weights"))
    assert len(getattr(layer, f"{kind}weights")) == (4 if not kind else 2)


def test_an_unbuilt_layer_has_no_weights() -> None:
    layer = layers.Conv3D(2, 3)
    assert list(layer.weights) == list(layer.trainable_weights) == list(layer.non_trainable_weights) == []
    assert layer.get_weights() == []


# ---- count_params


def test_count_params_of_an_unbuilt_layer_is_an_error() -> None:
    with pytest.raises(ValueError, match="dense"):
        layers.Dense(2, name="dense").count_params()


@pytest.mark.parametrize(
    ("layer", "expected"),
    [(layers.Dense(2), 8), (layers.BatchNormalization(), 12), (Mixed(), 10), (layers.Flatten(), 0)],
    ids=lambda value: type(value).__name__,
)
def test_count_params_counts_every_number(layer: Any, expected: int) -> None:
    layer(nb3d.Input((3,)))
    assert layer.count_params() == expected
    assert type(layer.count_params()) is int
    layer.trainable = False
    assert layer.count_params() == expected


# ---- get_weights, set_weights


def test_get_weights_gives_fresh_arrays_in_the_order_of_weights() -> None:
    layer = built(layers.BatchNormalization(), 3)
    arrays = layer.get_weights()
    assert [np.array_equal(a, w.numpy()) for a, w in zip(arrays, layer.weights, strict=True)] == [True] * 4
    for array in arrays:
        assert type(array) is np.ndarray
        array[...] = 77.0
    assert not any((value == 77.0).any() for value in values_of(layer.weights))


def test_set_weights_writes_and_casts() -> None:
    layer = built(layers.Dense(2), 3)
    kernel, bias = np.arange(6).reshape(3, 2), np.array([0.5, 1.5])
    layer.set_weights([kernel, bias])
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)
    np.testing.assert_array_equal(layer.get_weights()[1], bias)
    assert {array.dtype for array in layer.get_weights()} == {np.dtype("float32")}


def test_set_weights_keeps_its_own_copy() -> None:
    layer = built(layers.Dense(2), 3)
    kernel = np.zeros((3, 2), "float32")
    layer.set_weights([kernel, np.zeros(2, "float32")])
    kernel[...] = 5.0
    assert not layer.get_weights()[0].any()


@pytest.mark.parametrize("shapes", [[], [(3, 2)], [(3, 2), (2,), (2,)]])
def test_another_number_of_arrays_is_refused(shapes: list[tuple[int, ...]]) -> None:
    layer = built(layers.Dense(2, name="head"), 3)
    before = layer.get_weights()
    with pytest.raises(ValueError, match="head") as error:
        layer.set_weights([count(shape, 50.0) for shape in shapes])
    assert str(len(shapes)) in str(error.value)
    assert "2" in str(error.value)
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


@pytest.mark.parametrize(
    "shapes",
    [[(2, 3), (2,)], [(3, 2), (1,)], [(3, 2), ()], [(3, 2), (1, 2)], [(1, 2), (2,)], [(6,), (2,)], [(3, 2), (3,)]],
)
def test_another_shape_is_refused_and_nothing_is_half_written(shapes: list[tuple[int, ...]]) -> None:
    layer = built(layers.Dense(2, name="head"), 3)
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"head|shape"):
        layer.set_weights([count(shape, 50.0) for shape in shapes])
    for array, old in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_an_unbuilt_layer_takes_the_empty_list() -> None:
    layer = layers.Dense(2, name="head")
    layer.set_weights([])
    assert not layer.built
    with pytest.raises(ValueError, match="head"):
        layer.set_weights([np.zeros((3, 2)), np.zeros(2)])


# ---- a variable by itself


def test_assign_writes_and_checks_the_shape() -> None:
    variable = built(layers.Dense(2), 3).kernel
    variable.assign(np.full((3, 2), 4.0))
    np.testing.assert_array_equal(variable.numpy(), np.full((3, 2), 4.0, "float32"))
    assert variable.numpy().dtype == np.float32
    with pytest.raises(ValueError, match="shape"):
        variable.assign(np.zeros((2, 3)))
    np.testing.assert_array_equal(variable.numpy(), np.full((3, 2), 4.0, "float32"))


def test_a_written_weight_is_used_by_all_later_runs() -> None:
    x = nb3d.Input((3,))
    layer = layers.Dense(1)
    model = nb3d.Model(x, layer(x))
    run = nb3d.function([x], [layer.output])
    array = count((2, 3))
    for factor in (1.0, -2.0):
        layer.kernel.assign(np.full((3, 1), factor))
        expected = factor * array.sum(axis=1, keepdims=True)
        assert_close(run([array])[0], expected)
        assert_close(model(array), expected)
        assert_close(model.predict(array, verbose=0), expected)
        assert_close(layer(array), expected)


# ---- scope


def test_the_scope_is_not_known_before_the_first_call() -> None:
    with pytest.raises(ValueError, match="stem"):
        layers.Dense(2, name="stem").scope_name


@pytest.mark.parametrize("how", ["call", "build", "add_variable"])
def test_the_scope_of_a_named_layer_is_its_name(how: str) -> None:
    nb3d.utils.clear_session()
    layer = layers.Dense(2, name="stem")
    if how == "call":
        layer(nb3d.Input((3,)))
    elif how == "build":
        layer.build((None, 3))
    else:
        layer.add_variable(name="extra", shape=(1,))
    assert layer.scope_name == "stem"
    assert layer.weights[0].name.startswith("stem/")


def test_a_second_layer_of_one_name_has_another_scope() -> None:
    nb3d.utils.clear_session()
    scopes = [built(layers.Dense(2, name="stem"), 3).scope_name for _ in range(2)]
    assert scopes[0] == "stem"
    assert scopes[1].startswith("stem")
    assert scopes[1] != "stem"


def test_the_scope_of_an_unnamed_layer_is_its_class() -> None:
    nb3d.utils.clear_session()
    first, second = built(layers.Conv3D(1, 1), 2, 2, 2, 1), built(layers.Conv3D(1, 1), 2, 2, 2, 1)
    assert first.scope_name == "conv3d"
    assert second.scope_name != "conv3d"
    assert second.scope_name.startswith("conv3d")
    assert [weight.name.removesuffix(":0") for weight in first.weights] == ["conv3d/kernel", "conv3d/bias"]
