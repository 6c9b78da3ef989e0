"""``Model(inputs, outputs)``: what it refuses, what it holds, how it is called."""

import warnings
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from tests.engine.helpers import assert_close
from tests.models_api.helpers import a_b_a_b, conv_and_norm, count, names, two_by_two

layers = nb3d.layers


def dense_chain() -> tuple[Any, Any, Any]:
    x = nb3d.Input((3,), name="x")
    hidden = layers.Dense(4, name="first")(x)
    return x, hidden, layers.Dense(2, name="second")(hidden)


# ---- what it is


def test_inputs_and_outputs_are_always_lists() -> None:
    x, _, y = dense_chain()
    for model in (nb3d.Model(x, y), nb3d.Model([x], [y]), nb3d.Model(inputs=x, outputs=y, name="m")):
        assert isinstance(model.inputs, list)
        assert isinstance(model.outputs, list)
        assert model.inputs[0] is x
        assert model.outputs[0] is y


def test_a_model_is_a_built_layer_with_a_name() -> None:
    x, _, y = dense_chain()
    model = nb3d.Model(x, y, name="net")
    assert isinstance(model, nb3d.layers.Layer)
    assert model.built
    assert model.name == "net"
    assert model.count_params() == 3 * 4 + 4 + 4 * 2 + 2
    assert nb3d.models.Model is nb3d.Model


def test_one_output_comes_bare_and_several_as_a_list() -> None:
    model = two_by_two()
    result = model([nb3d.Input((4,)), nb3d.Input((5,))])
    assert isinstance(result, list)
    assert [tensor.shape for tensor in result] == [(None, 2), (None, 3)]
    arrays = model([count((7, 4)), count((7, 5))])
    assert [array.shape for array in arrays] == [(7, 2), (7, 3)]
    x, _, y = dense_chain()
    single = nb3d.Model([x], [y])
    assert isinstance(single(nb3d.Input((3,))), nb3d.KerasTensor)
    assert isinstance(single(count((2, 3))), np.ndarray)


# ---- what it refuses


def test_a_repeated_input_is_refused() -> None:
    x, _, y = dense_chain()
    with pytest.raises(ValueError, match="x"):
        nb3d.Model([x, x], y)


@pytest.mark.parametrize("side", ["inputs", "outputs"])
@pytest.mark.parametrize(
    ("bad", "errors"),
    [
        (nb3d.KerasTensor((None, 3)), ValueError),
        (np.ones((2, 3), "float32"), ValueError),
        (3, (TypeError, ValueError)),
        (None, (TypeError, ValueError)),
        ("x", (TypeError, ValueError)),
    ],
    ids=["tensor without history", "array", "number", "None", "string"],
)
def test_what_has_no_history_is_refused(side: str, bad: Any, errors: Any) -> None:
    x, _, y = dense_chain()
    ends = {"inputs": x, "outputs": y, side: bad}
    with pytest.raises(errors, match=r"Model|tensor|history|[Ii]nput"):
        nb3d.Model(**ends)


def test_an_input_that_comes_from_a_layer_is_refused() -> None:
    _, hidden, y = dense_chain()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"[Ii]nput|disconnected"):
            nb3d.Model(hidden, y)


@pytest.mark.parametrize("given", ["none of them", "one of two"])
def test_a_disconnected_graph_is_refused_with_the_name_of_the_missing_tensor(given: str) -> None:
    a, b = nb3d.Input((3,), name="here"), nb3d.Input((3,), name="missing")
    y = layers.Add()([a, b]) if given == "one of two" else layers.Dense(2)(b)
    with pytest.raises(ValueError, match="missing"):
        nb3d.Model(a, y)


def test_two_layers_of_one_name_are_refused_with_the_name() -> None:
    x = nb3d.Input((3,))
    y = layers.Dense(2, name="twice")(layers.Dense(2, name="twice")(x))
    with pytest.raises(ValueError, match="twice"):
        nb3d.Model(x, y)


def test_repeated_outputs_are_fine() -> None:
    x, _, y = dense_chain()
    model = nb3d.Model(x, [y, y])
    first, second = model(count((2, 3)))
    np.testing.assert_array_equal(first, second)
    assert len(model.outputs) == 2


def test_an_input_may_be_an_output() -> None:
    x, _, y = dense_chain()
    model = nb3d.Model(x, [x, y])
    array = count((2, 3))
    np.testing.assert_array_equal(model(array)[0], array)
    np.testing.assert_array_equal(model.predict(array, verbose=0)[0], array)


# ---- layers


def test_layers_come_by_depth_and_a_shared_layer_at_its_largest() -> None:
    x, y, a, b = a_b_a_b()
    assert names(nb3d.Model(x, y).layers) == ["x", "B", "A"]
    assert nb3d.Model(x, y).layers[1:] == [b, a]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["shallow first", "deep first"])
def test_the_deepest_call_of_a_shared_layer_decides_its_place(order: tuple[int, int]) -> None:
    x, z = nb3d.Input((3,), name="x"), nb3d.Input((3,), name="z")
    shared = layers.Dense(3, name="shared")
    ends = [shared(z), layers.Dense(3, name="last")(layers.Dense(3, name="middle")(shared(x)))]
    model = nb3d.Model([x, z], [ends[index] for index in order])
    assert [name for name in names(model.layers) if name not in "xz"] == ["shared", "middle", "last"]


def test_layers_of_one_depth_come_in_the_order_of_the_walk() -> None:
    x = nb3d.Input((3,), name="x")
    branches = [layers.Dense(2, name=name)(x) for name in ("p", "q", "r")]
    model = nb3d.Model(x, layers.Add(name="sum")([branches[2], branches[0], branches[1]]))
    assert names(model.layers) == ["x", "r", "p", "q", "sum"]


def test_layers_hold_only_what_leads_to_the_outputs() -> None:
    x, hidden, y = dense_chain()
    layers.Dense(7, name="elsewhere")(hidden)
    assert names(nb3d.Model(x, y).layers) == ["x", "first", "second"]
    assert names(nb3d.Model(x, hidden).layers) == ["x", "first"]


def test_a_model_within_a_model_is_one_layer() -> None:
    inner = conv_and_norm()
    x = nb3d.Input((4, 4, 4, 1), name="outer")
    model = nb3d.Model(x, layers.Flatten(name="flat")(inner(x)))
    assert names(model.layers) == ["outer", "conv_and_norm", "flat"]
    assert model.layers[1] is inner
    assert len(model.weights) == len(inner.weights) == 8
    array = count((2, 4, 4, 4, 1))
    assert_close(model(array), inner(array).reshape(2, -1))


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({"name": "second"}, "second"),
        ({"index": 1}, "first"),
        ({"index": 0, "name": "second"}, "x"),
        ({"index": -1}, "second"),
    ],
    ids=["name", "index", "index wins", "from the end"],
)
def test_get_layer_by_name_or_index(kwargs: dict[str, Any], expected: str) -> None:
    x, _, y = dense_chain()
    assert nb3d.Model(x, y).get_layer(**kwargs).name == expected


@pytest.mark.parametrize(("kwargs", "word"), [({"name": "third"}, "third"), ({}, "name|index"), ({"index": 3}, "3")])
def test_get_layer_refuses_what_is_not_there(kwargs: dict[str, Any], word: str) -> None:
    x, _, y = dense_chain()
    with pytest.raises(ValueError, match=word):
        nb3d.Model(x, y).get_layer(**kwargs)


def test_a_part_of_a_model_is_a_model() -> None:
    model = conv_and_norm()
    part = nb3d.Model(model.inputs, model.get_layer("norm").output)
    assert names(part.layers) == ["scan", "conv", "norm"]
    assert part.output_shape == (None, 4, 4, 4, 2)


# ---- calls


def test_inputs_seen_before_give_the_cached_outputs() -> None:
    model = two_by_two()
    first = model(model.inputs)
    assert [a is b for a, b in zip(first, model.outputs, strict=True)] == [True, True]
    fresh = [nb3d.Input((4,)), nb3d.Input((5,))]
    once, again = model(fresh), model(fresh)
    assert [a is b for a, b in zip(once, again, strict=True)] == [True, True]


def test_a_call_from_within_another_model_is_no_call_of_one_s_own() -> None:
    inner_x, x, z = nb3d.Input((3,)), nb3d.Input((3,)), nb3d.Input((3,))
    inner = nb3d.Model(inner_x, layers.Dense(3)(inner_x), name="inner")
    outer = nb3d.Model(x, inner(x), name="outer")
    through, direct = outer(z), inner(z)
    assert tuple(through._keras_history) == (outer, 1, 0)
    assert tuple(direct._keras_history) == (inner, 2, 0)
    assert names(nb3d.Model(z, layers.Add(name="sum")([through, direct])).layers)[-1] == "sum"


def test_call_arguments_of_a_node_are_used_again_when_the_model_is_called() -> None:
    x = nb3d.Input((500,))
    dropout = layers.Dropout(0.5)
    model = nb3d.Model(x, [dropout(x, training=True), dropout(x)])
    ones = np.ones((2, 500), "float32")
    for net in (model, nb3d.Model.from_config(model.get_config()), nb3d.models.clone_model(model)):
        y = nb3d.Input((500,))
        for always, never in (net(ones), nb3d.function([y], net(y))([ones])):
            assert 0.3 < (always == 0).mean() < 0.7
            np.testing.assert_array_equal(never, ones)


@pytest.mark.parametrize("bad", [(2, 5), (2, 3, 1), (3,)])
def test_an_array_of_another_shape_is_refused(bad: tuple[int, ...]) -> None:
    x, _, y = dense_chain()
    model = nb3d.Model(x, y, name="net")
    for call in (model, lambda array: model.predict(array, verbose=0)):
        with pytest.raises(ValueError, match=r"net|first|x"):
            call(count(bad))


@pytest.mark.parametrize("given", [1, 3])
def test_another_number_of_arrays_is_refused(given: int) -> None:
    model = two_by_two()
    with pytest.raises(ValueError, match=r"two_by_two|2 inputs"):
        model([count((7, 4))] * given)


def test_a_symbol_is_no_array_to_predict() -> None:
    x, _, y = dense_chain()
    model = nb3d.Model(x, y)
    with pytest.raises((TypeError, ValueError), match=r"KerasTensor|symbolic"):
        model.predict(x, verbose=0)


def test_predict_predict_on_batch_and_call_agree_for_every_batch_size() -> None:
    model = two_by_two()
    arrays = [count((7, 4)), count((7, 5))]
    expected = model(arrays)
    for results in (
        model.predict_on_batch(arrays),
        *(model.predict(arrays, batch_size=size, verbose=0) for size in (1, 3, 7, 32)),
    ):
        for result, wanted in zip(results, expected, strict=True):
            assert_close(result, wanted)


# ---- operations as nodes


def test_the_result_of_an_operation_may_be_an_output() -> None:
    x, _, y = dense_chain()
    z = ops.relu(y * 2.0) - x[:, :2]
    assert isinstance(z, nb3d.KerasTensor)
    operation, node_index, tensor_index = z._keras_history
    assert (node_index, tensor_index) == (0, 0)
    assert operation.inbound_nodes[0].output_tensors[0] is z
    model = nb3d.Model(x, z)
    array = count((2, 3))
    expected = np.maximum(nb3d.Model(x, y)(array) * 2, 0) - array[:, :2]
    assert_close(model(array), expected)
    assert_close(model.predict(array, verbose=0), expected)
    other = nb3d.Input((3,))
    assert_close(nb3d.function([other], [model(other)])([array])[0], expected)
    assert len(model.weights) == 4


# ---- deep chains


def test_three_thousand_layers_build_sort_run_and_come_back() -> None:
    depth = 3000
    x = y = nb3d.Input((2,), name="x")
    for index in range(depth):
        y = layers.Activation("linear" if index else "relu", name=f"layer_{index}")(y)
    model = nb3d.Model(x, y)
    assert names(model.layers) == ["x", *(f"layer_{index}" for index in range(depth))]
    array = count((2, 2), -2.0)
    np.testing.assert_array_equal(model(array), np.maximum(array, 0))
    np.testing.assert_array_equal(model.predict(array, verbose=0), np.maximum(array, 0))
    assert list(model.losses) == list(model.updates) == []
    copy = nb3d.Model.from_config(model.get_config())
    assert names(copy.layers) == names(model.layers)


def test_a_chain_of_three_thousand_operations_runs() -> None:
    x = y = nb3d.Input((2,))
    for _ in range(3000):
        y = y + 1.0
    array = count((2, 2))
    assert_close(nb3d.function([x], [y])([array])[0], array + 3000.0)
    assert_close(nb3d.Model(x, y)(array), array + 3000.0)
