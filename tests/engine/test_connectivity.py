"""What a layer answers about its calls: ``input``, ``output_shape``, ``get_output_at`` and their kin."""

from typing import Any

import pytest

import nb3d
from tests.engine.helpers import Same, TakesMask, Twin

layers = nb3d.layers

GETTERS = ["input", "output", "input_shape", "output_shape", "input_mask", "output_mask"]
TENSORS_AND_MASKS = ["input", "output", "input_mask", "output_mask"]


def at(layer: Any, what: str, index: int) -> Any:
    """``layer.get_<what>_at(index)``."""
    return getattr(layer, f"get_{what}_at")(index)


def shared_dense(*widths: Any) -> tuple[Any, list[Any], list[Any]]:
    """A Dense layer called once on an input for each of `widths`, with those inputs and the outputs."""
    dense = layers.Dense(3, name="shared")
    inputs = [nb3d.Input(shape) for shape in widths]
    return dense, inputs, [dense(x) for x in inputs]


# ---- no node


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("input", "is not connected, no input to return"),
        ("output", "has no inbound nodes"),
        ("input_shape", "never been called"),
        ("output_shape", "never been called"),
        ("input_mask", None),
        ("output_mask", None),
    ],
)
def test_a_layer_never_called_has_no_such_attribute(what: str, text: str | None) -> None:
    layer = layers.Conv3D(2, 3, name="lonely")
    with pytest.raises(AttributeError, match=text):
        getattr(layer, what)


@pytest.mark.parametrize("what", GETTERS)
def test_every_getter_of_a_layer_never_called_is_a_runtime_error(what: str) -> None:
    with pytest.raises(RuntimeError, match="never been called"):
        at(layers.Conv3D(2, 3), what, 0)


def test_a_built_layer_is_still_not_connected() -> None:
    layer = layers.Conv3D(2, 3)
    layer.build((None, 4, 4, 4, 1))
    with pytest.raises(AttributeError, match="not connected"):
        layer.input
    with pytest.raises(RuntimeError, match="never been called"):
        layer.get_output_at(0)


# ---- one node


def test_one_call_gives_input_and_output_themselves() -> None:
    x = nb3d.Input((6, 7, 8, 2))
    layer = layers.Conv3D(4, 3)
    y = layer(x)
    assert layer.input is x
    assert layer.output is y
    assert layer.get_input_at(0) is x
    assert layer.get_output_at(0) is y
    assert layer.input_shape == layer.get_input_shape_at(0) == (None, 6, 7, 8, 2)
    assert layer.output_shape == layer.get_output_shape_at(0) == (None, 4, 5, 6, 4)
    assert layer.input_mask is None
    assert layer.output_mask is None
    assert layer.get_input_mask_at(0) is None
    assert layer.get_output_mask_at(0) is None


@pytest.mark.parametrize("what", ["input_shape", "output_shape"])
def test_shapes_are_plain_tuples(what: str) -> None:
    layer, _, _ = shared_dense((None, 5, 6, 2))
    assert type(getattr(layer, what)) is tuple
    assert type(at(layer, what, 0)) is tuple


def test_several_inputs_come_as_lists() -> None:
    a, b = nb3d.Input((4, 2)), nb3d.Input((4, 3))
    layer = layers.Concatenate()
    y = layer([a, b])
    assert isinstance(layer.input, list)
    assert layer.input[0] is a
    assert layer.input[1] is b
    assert layer.get_input_at(0)[1] is b
    assert layer.output is y
    assert layer.input_shape == layer.get_input_shape_at(0) == [(None, 4, 2), (None, 4, 3)]
    assert layer.output_shape == (None, 4, 5)
    assert layer.input_mask == layer.get_input_mask_at(0) == [None, None]
    assert layer.output_mask is None


def test_several_outputs_come_as_lists() -> None:
    layer = Twin()
    first, second = layer(nb3d.Input((4,)))
    assert isinstance(layer.output, list)
    assert layer.output[0] is first
    assert layer.get_output_at(0)[1] is second
    assert layer.output_shape == layer.get_output_shape_at(0) == [(None, 4), (None, 4)]
    assert layer.output_mask == layer.get_output_mask_at(0) == [None, None]
    assert layer.input_shape == (None, 4)


def test_a_list_of_one_input_is_unwrapped() -> None:
    x = nb3d.Input((4,))
    layer = TakesMask()
    layer([x])
    assert layer.input is x
    assert layer.input_shape == layer.get_input_shape_at(0) == (None, 4)
    assert layer.input_mask is None


def test_an_input_layer_s_input_is_its_output() -> None:
    x = nb3d.Input((4, 4, 4, 1))
    layer = x._keras_history[0]
    assert layer.input is x
    assert layer.output is x
    assert layer.get_input_at(0) is layer.get_output_at(0)
    assert layer.input_shape == layer.output_shape == (None, 4, 4, 4, 1)


# ---- many nodes


@pytest.mark.parametrize("what", TENSORS_AND_MASKS)
def test_a_shared_layer_never_guesses(what: str) -> None:
    layer, _, _ = shared_dense((4,), (4,))
    with pytest.raises(AttributeError):
        getattr(layer, what)


@pytest.mark.parametrize("what", TENSORS_AND_MASKS)
def test_two_calls_on_one_tensor_are_two_nodes(what: str) -> None:
    x = nb3d.Input((4,))
    layer = layers.Dense(2)
    outputs = [layer(x), layer(x)]
    with pytest.raises(AttributeError):
        getattr(layer, what)
    assert layer.get_output_at(0) is outputs[0]
    assert layer.get_output_at(1) is outputs[1]
    assert outputs[0] is not outputs[1]


def test_each_node_of_a_shared_layer_has_its_own_tensors() -> None:
    layer, inputs, outputs = shared_dense((4,), (6, 4), (5, 6, 4))
    for index in range(3):
        assert layer.get_input_at(index) is inputs[index]
        assert layer.get_output_at(index) is outputs[index]
        assert layer.get_input_shape_at(index) == inputs[index].shape
        assert layer.get_output_shape_at(index) == (*inputs[index].shape[:-1], 3)
        assert layer.get_input_mask_at(index) is None
        assert layer.get_output_mask_at(index) is None


def test_equal_shapes_of_all_nodes_are_the_shape_of_the_layer() -> None:
    layer, _, _ = shared_dense((None, 4), (None, 4), (None, 4))
    assert layer.input_shape == (None, None, 4)
    assert layer.output_shape == (None, None, 3)


@pytest.mark.parametrize("what", ["input_shape", "output_shape"])
def test_different_shapes_point_to_the_getter(what: str) -> None:
    layer, _, _ = shared_dense((5, 4), (6, 4))
    with pytest.raises(AttributeError, match=f"get_{what}_at"):
        getattr(layer, what)


def test_one_differing_side_does_not_hide_the_other() -> None:
    x = [nb3d.Input((3, 4)), nb3d.Input((2, 6))]
    layer = layers.Flatten()
    for tensor in x:
        layer(tensor)
    assert layer.output_shape == (None, 12)
    with pytest.raises(AttributeError, match="get_input_shape_at"):
        layer.input_shape


# ---- the index


@pytest.mark.parametrize("what", GETTERS)
@pytest.mark.parametrize("calls", [1, 2])
def test_an_index_past_the_last_node_names_index_and_count(what: str, calls: int) -> None:
    layer, _, _ = shared_dense(*[(4,)] * calls)
    at(layer, what, calls - 1)
    with pytest.raises(ValueError, match=r"\b7\b") as error:
        at(layer, what, 7)
    assert str(calls) in str(error.value).replace("7", "")


def test_an_index_below_the_first_node_is_an_error() -> None:
    layer, _, _ = shared_dense((4,), (4,))
    with pytest.raises((IndexError, ValueError)):
        layer.get_output_at(-3)


# ---- models are layers too


def test_a_model_is_born_with_one_node() -> None:
    x = nb3d.Input((4,))
    y = layers.Dense(2)(x)
    model = nb3d.Model(x, y)
    assert model.input is x
    assert model.output is y
    assert model.get_input_at(0) is x
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize("what", TENSORS_AND_MASKS)
def test_a_model_called_again_has_two_nodes_and_never_guesses(what: str) -> None:
    x = nb3d.Input((4,))
    model = nb3d.Model(x, layers.Dense(2)(x))
    again = nb3d.Input((4,))
    z = model(again)
    with pytest.raises(AttributeError):
        getattr(model, what)
    assert model.get_input_at(1) is again
    assert model.get_output_at(1) is z
    assert model.inputs == [x]
    assert len(model.outputs) == 1


def test_calls_on_a_kept_tensor_of_no_model_count_too() -> None:
    layer, _, outputs = shared_dense((4,), (4,))
    x = nb3d.Input((4,))
    y = layer(x)
    nb3d.Model(x, y)
    assert y._keras_history[1] == 2
    assert layer.get_output_at(2) is y
    assert layer.get_output_at(0) is outputs[0]


def test_a_layer_that_returns_its_input_is_connected_like_any_other() -> None:
    x = nb3d.Input((4,))
    layer = Same()
    y = layer(x)
    assert layer.input is x
    assert layer.output is y
    assert y is not x
