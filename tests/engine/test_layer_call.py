"""``layer(inputs)``: what is checked, when the weights are made, what is recorded."""

from typing import Any

import numpy as np
import pytest

import nb3d
from tests.engine.helpers import Same, Scale, assert_close, count, evaluate

layers = nb3d.layers
InputSpec = nb3d.layers.InputSpec


class Asking(nb3d.layers.Layer):
    """A layer that demands what its `input_spec` says."""

    def __init__(self, spec: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = spec

    def call(self, inputs: Any) -> Any:
        return (inputs[0] if isinstance(inputs, list | tuple) else inputs) + 1.0


class Counting(nb3d.layers.Layer):
    """Counts its builds and keeps their shapes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shapes: list[Any] = []

    def build(self, input_shape: Any) -> None:
        self.shapes.append(input_shape)
        self.kernel = self.add_weight(name="kernel", shape=(2,), initializer="ones")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return inputs + 0.0 * nb3d.ops.sum(self.kernel)


# ---- input_spec


@pytest.mark.parametrize(
    ("spec", "shape", "word"),
    [
        ({"ndim": 3}, (4,), "ndim"),
        ({"ndim": 3}, (2, 3, 4), "ndim"),
        ({"max_ndim": 3}, (2, 3, 4), "ndim"),
        ({"min_ndim": 3}, (4,), "ndim"),
        ({"axes": {-1: 3}}, (5, 4), "axis"),
        ({"axes": {1: 3}}, (5, 3), "axis"),
        ({"axes": {2: 3}}, (5,), "axis|ndim"),
        ({"ndim": 3, "axes": {1: 5, -1: 3}}, (5, 4), "axis"),
        ({"shape": (None, 5, 3)}, (5, 4), "shape"),
        ({"shape": (None, 5, 3)}, (3,), "ndim|shape"),
        ({"dtype": "float64"}, (4,), "dtype"),
    ],
)
def test_inputs_against_the_spec_are_refused(spec: dict[str, Any], shape: tuple[int, ...], word: str) -> None:
    layer = Asking(InputSpec(**spec), name="asking")
    with pytest.raises(ValueError, match=word) as error:
        layer(nb3d.Input(shape))
    assert "asking" in str(error.value)
    assert list(layer.inbound_nodes) == []


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        ({}, (4,)),
        ({"ndim": 3}, (None, 4)),
        ({"max_ndim": 3, "min_ndim": 2}, (4,)),
        ({"max_ndim": 3, "min_ndim": 2}, (5, 4)),
        ({"axes": {-1: 4}}, (5, 6, 4)),
        ({"axes": {-1: 4, 1: None}}, (5, 4)),
        ({"shape": (None, None, 4)}, (7, 4)),
        ({"shape": (None, 7, 4)}, (None, 4)),
        ({"dtype": "float32"}, (4,)),
    ],
)
def test_inputs_that_agree_with_the_spec_pass(spec: dict[str, Any], shape: tuple[int | None, ...]) -> None:
    assert Asking(InputSpec(**spec))(nb3d.Input(shape)).shape == (None, *shape)


def test_a_shape_implies_the_rank() -> None:
    assert InputSpec(shape=(None, 3, None)).ndim == 3


def test_arrays_are_checked_like_symbols() -> None:
    layer = Asking(InputSpec(ndim=3), name="asking")
    with pytest.raises(ValueError, match="ndim"):
        layer(count((2, 3)))


@pytest.mark.parametrize("number", [1, 3])
def test_the_number_of_inputs_is_the_number_of_specs(number: int) -> None:
    layer = Asking([InputSpec(ndim=2), InputSpec(ndim=2)], name="asking")
    with pytest.raises(ValueError, match="expects 2 inputs"):
        layer([nb3d.Input((4,)) for _ in range(number)])


def test_two_inputs_to_a_layer_of_one_are_refused() -> None:
    with pytest.raises(ValueError, match="expects 1 inputs"):
        layers.Conv3D(2, 3)([nb3d.Input((4, 4, 4, 1)), nb3d.Input((4, 4, 4, 1))])


def test_the_spec_is_checked_again_on_every_call() -> None:
    layer = layers.Dense(2, name="dense")
    layer(nb3d.Input((4,)))
    with pytest.raises(ValueError, match="axis"):
        layer(nb3d.Input((5,)))
    with pytest.raises(ValueError, match="axis"):
        layer(count((2, 5)))
    layer(nb3d.Input((7, 4)))


def test_a_spec_that_build_sets_is_checked_before_the_call() -> None:
    class Late(nb3d.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.input_spec = InputSpec(axes={-1: 3})
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return inputs + 1.0

    with pytest.raises(ValueError, match="axis"):
        Late()(nb3d.Input((4,)))
    assert Late()(nb3d.Input((3,))).shape == (None, 3)


# ---- build


def test_build_runs_once_with_the_input_shape() -> None:
    layer = Counting()
    assert not layer.built
    layer(nb3d.Input((5,)))
    layer(nb3d.Input((6,)))
    layer(count((2, 5)))
    assert layer.built
    assert layer.shapes == [(None, 5)]
    assert len(layer.weights) == 1


def test_a_build_by_hand_is_not_repeated() -> None:
    layer = Counting()
    layer.build((None, 9))
    kernel = layer.weights[0]
    layer(nb3d.Input((5,)))
    assert layer.shapes == [(None, 9)]
    assert layer.weights[0] is kernel


def test_build_of_several_inputs_receives_a_list_of_shapes() -> None:
    class Join(Counting):
        def call(self, inputs: Any) -> Any:
            return inputs[0] + inputs[1]

    layer = Join()
    layer([nb3d.Input((5,)), nb3d.Input((1,))])
    assert [tuple(shape) for shape in layer.shapes[0]] == [(None, 5), (None, 1)]


def test_given_weights_are_set_at_the_end_of_the_first_symbolic_call() -> None:
    kernel, bias = count((4, 2)), count((2,), 7.0)
    layer = layers.Dense(2, weights=[kernel, bias])
    assert layer.get_weights() == []
    layer(nb3d.Input((4,)))
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)
    np.testing.assert_array_equal(layer.get_weights()[1], bias)
    layer.set_weights([kernel * 0, bias * 0])
    layer(nb3d.Input((4,)))
    assert not layer.get_weights()[1].any()


@pytest.mark.parametrize("given", [[(4, 2)], [(2, 4), (2,)], [(4, 2), (3,)], [(4, 2), (2,), (2,)]])
def test_given_weights_of_other_shapes_are_refused_at_the_call(given: list[tuple[int, ...]]) -> None:
    layer = layers.Dense(2, name="dense", weights=[count(shape) for shape in given])
    with pytest.raises(ValueError, match="dense"):
        layer(nb3d.Input((4,)))


# ---- arguments


@pytest.mark.parametrize(
    "layer", [layers.Dense(2), layers.Conv3D(1, 1), Scale()], ids=lambda layer: type(layer).__name__
)
@pytest.mark.parametrize("symbolic", [True, False])
def test_an_unknown_keyword_is_a_type_error(layer: Any, symbolic: bool) -> None:
    shape = (2, 3, 3, 3, 1)
    with pytest.raises(TypeError, match="foo"):
        layer(nb3d.Input(shape[1:]) if symbolic else count(shape), foo=1)


@pytest.mark.parametrize(("args", "kwargs"), [((2.5,), {}), ((), {"offset": 2.5})])
def test_further_arguments_reach_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    layer, x = Scale(), nb3d.Input((3,))
    array = count((2, 3))
    (value,) = evaluate([layer(x, *args, **kwargs)], {x: array})
    np.testing.assert_array_equal(value, array + 2.5)
    np.testing.assert_array_equal(layer(array, *args, **kwargs), array + 2.5)


def test_apply_is_call() -> None:
    layer, x = Scale(), nb3d.Input((3,))
    y = layer.apply(x, offset=1.0)
    z = layer.apply(x, 2.0)
    assert layer.get_output_at(0) is y
    assert layer.inbound_nodes[0].arguments == {"offset": 1.0}
    array = count((2, 3))
    np.testing.assert_array_equal(evaluate([z], {x: array})[0], array + 2.0)
    np.testing.assert_array_equal(layer.apply(array, offset=1.0), array + 1.0)


@pytest.mark.parametrize("symbolic", [True, False])
def test_a_call_that_returns_nothing_is_an_error(symbolic: bool) -> None:
    class Forgetful(nb3d.layers.Layer):
        def call(self, inputs: Any) -> Any:
            pass

    with pytest.raises(ValueError, match="forgetful"):
        Forgetful(name="forgetful")(nb3d.Input((3,)) if symbolic else count((2, 3)))


@pytest.mark.parametrize("bad", ["volume", None, object()], ids=["string", "None", "object"])
def test_inputs_that_are_no_tensors_are_refused(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="dense"):
        layers.Dense(2, name="dense")(bad)


# ---- a layer that returns its input


def test_a_returned_input_is_copied() -> None:
    x = nb3d.Input((3,))
    y = Same()(x)
    assert y is not x
    array = count((2, 3))
    np.testing.assert_array_equal(evaluate([y], {x: array})[0], array)


def test_each_returned_input_of_a_list_is_copied() -> None:
    class Swap(nb3d.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return [inputs[1], inputs[0]]

    a, b = nb3d.Input((3,)), nb3d.Input((4,))
    layer = Swap()
    c, d = layer([a, b])
    assert a._keras_history[0] is not layer
    assert tuple(c._keras_history) == (layer, 0, 0)
    assert tuple(d._keras_history) == (layer, 0, 1)
    assert (c.shape, d.shape) == ((None, 4), (None, 3))
    assert nb3d.Model([a, b], [c, d]).count_params() == 0


# ---- arrays


def test_a_call_on_an_array_builds_and_computes_but_leaves_no_node() -> None:
    layer = layers.Dense(2, kernel_initializer="ones")
    array = count((3, 4))
    result = layer(array)
    assert isinstance(result, np.ndarray)
    assert_close(result, np.repeat(array.sum(axis=1, keepdims=True), 2, axis=1))
    assert layer.built
    assert list(layer.inbound_nodes) == []
    with pytest.raises(AttributeError, match="not connected"):
        layer.input
    with pytest.raises(AttributeError, match="never been called"):
        layer.output_shape
    with pytest.raises(RuntimeError, match="never been called"):
        layer.get_input_at(0)


def test_a_call_on_an_array_does_not_disturb_the_nodes_there_are() -> None:
    layer, x = layers.Dense(2), nb3d.Input((4,))
    layer(x)
    layer(count((3, 4)))
    assert layer.input is x


def test_a_list_with_one_array_among_symbols_leaves_no_node() -> None:
    layer, x = layers.Add(), nb3d.Input((4,))
    y = layer([x, count((2, 4))])
    assert list(layer.inbound_nodes) == []
    assert list(x._keras_history[0].outbound_nodes) == [] or all(
        node.outbound_layer is not layer for node in x._keras_history[0].outbound_nodes
    )
    history = getattr(y, "_keras_history", None)
    assert history is None or history[0] is not layer


def test_a_layer_computes_the_same_in_all_three_ways() -> None:
    x = nb3d.Input((4,))
    layer = layers.Dense(3, activation="relu")
    model = nb3d.Model(x, layer(x))
    array = count((2, 4), -3.0)
    expected = layer(array)
    assert_close(evaluate([layer.output], {x: array})[0], expected)
    assert_close(model(array), expected)
    assert_close(model.predict(array, verbose=0), expected)


# ---- construction


def test_an_unknown_keyword_of_the_constructor_is_named() -> None:
    with pytest.raises(TypeError, match="colour"):
        layers.Dense(2, colour="red")
    with pytest.raises(TypeError, match="colour"):
        nb3d.layers.Layer(colour="red")


def test_dtype_is_known_before_the_first_call() -> None:
    assert layers.Dense(2).dtype == "float32"
    assert layers.Dense(2, dtype="float64").dtype == "float64"
    assert isinstance(layers.Dense(2).dtype, str)


def test_dtype_is_that_of_weights_and_results() -> None:
    layer = layers.Dense(2, dtype="float64")
    x = nb3d.Input((4,), dtype="float64")
    assert layer(x).dtype == "float64"
    assert {np.dtype(weight.dtype) for weight in layer.weights} == {np.dtype("float64")}
    assert layer(np.ones((1, 4))).dtype == np.float64


def test_automatic_names_are_the_class_in_snake_case_and_a_number() -> None:
    nb3d.utils.clear_session()
    assert [layers.Conv3D(1, 1).name for _ in range(3)] == ["conv3d", "conv3d_1", "conv3d_2"]
    assert layers.BatchNormalization().name == "batch_normalization"
    assert layers.GlobalMaxPooling3D().name.startswith("global_max_pooling3d")
    assert Asking(None).name == "asking"
    nb3d.utils.clear_session()
    assert layers.Conv3D(1, 1).name == "conv3d"


def test_a_given_name_is_kept() -> None:
    assert layers.Dense(2, name="Head").name == "Head"
    assert layers.Dense(2, name="Head").name == "Head"


def test_the_base_layer_keeps_an_activity_regularizer_as_it_is() -> None:
    def penalty(tensor: Any) -> Any:
        return nb3d.ops.sum(tensor)

    layer = nb3d.layers.Layer(activity_regularizer=penalty)
    assert layer.activity_regularizer is penalty
    assert nb3d.layers.Layer().activity_regularizer is None
    layer.activity_regularizer = None
    assert layer.activity_regularizer is None
