"""Nodes: one for each call, with the tensors, indices, shapes and arguments of that call."""

from typing import Any

import pytest

import nb3d
from tests.engine.helpers import MakesMask, Same, Scale, TakesMask, Twin

layers = nb3d.layers


class Weighted(nb3d.layers.Layer):
    """Takes extra arguments, by place and by name."""

    def call(self, inputs: Any, factor: float = 1.0, offset: float = 0.0) -> Any:
        return inputs * factor + offset


def only_node(layer: Any) -> Any:
    (node,) = layer.inbound_nodes
    return node


def test_the_node_lists_have_public_and_private_names() -> None:
    x = nb3d.Input((4,))
    layer = layers.Dense(2)
    layer(x)
    assert layer.inbound_nodes is layer._inbound_nodes
    assert layer.outbound_nodes is layer._outbound_nodes


def test_a_new_layer_has_no_nodes() -> None:
    layer = layers.Conv3D(2, 3)
    assert list(layer.inbound_nodes) == []
    assert list(layer.outbound_nodes) == []


def test_each_symbolic_call_appends_one_node() -> None:
    layer = layers.Dense(2)
    for calls in range(1, 4):
        layer(nb3d.Input((4,)))
        assert len(layer.inbound_nodes) == calls


def test_the_fields_of_a_node_are_parallel_lists() -> None:
    a, pair = nb3d.Input((4,)), Twin(name="twin")
    first, second = pair(a)
    layer = layers.Concatenate(name="join")
    y = layer([second, a, first])
    node = only_node(layer)
    assert node.outbound_layer is layer
    assert [inbound.name for inbound in node.inbound_layers] == ["twin", a._keras_history[0].name, "twin"]
    assert list(node.node_indices) == [0, 0, 0]
    assert list(node.tensor_indices) == [1, 0, 0]
    assert [tensor is given for tensor, given in zip(node.input_tensors, [second, a, first], strict=True)] == [True] * 3
    assert len(node.output_tensors) == 1
    assert node.output_tensors[0] is y
    assert node.input_shapes == [(None, 4)] * 3
    assert node.output_shapes == [(None, 12)]


def test_shapes_and_tensors_of_a_node_are_lists_even_when_alone() -> None:
    layer = layers.Dense(2)
    layer(nb3d.Input((4,)))
    node = only_node(layer)
    for field in (node.input_tensors, node.output_tensors, node.input_shapes, node.output_shapes):
        assert isinstance(field, list)
        assert len(field) == 1
    assert isinstance(node.input_shapes[0], tuple)


def test_a_node_is_filed_with_the_layer_that_made_the_input() -> None:
    x = nb3d.Input((4,))
    first, second = layers.Dense(4), layers.Dense(4)
    second(first(x))
    source = x._keras_history[0]
    assert list(source.outbound_nodes) == [only_node(first)]
    assert list(first.outbound_nodes) == [only_node(second)]
    assert list(second.outbound_nodes) == []


def test_the_same_tensor_twice_is_filed_twice() -> None:
    x = nb3d.Input((4,))
    layer = layers.Add()
    layer([x, x])
    source = x._keras_history[0]
    assert list(source.outbound_nodes) == [only_node(layer)] * 2
    assert [inbound is source for inbound in only_node(layer).inbound_layers] == [True, True]


def test_the_ops_inside_a_call_leave_no_node_outside() -> None:
    x = nb3d.Input((4,))
    layer = Scale()
    y = layer(x, offset=1.0)
    assert list(x._keras_history[0].outbound_nodes) == [only_node(layer)]
    assert y._keras_history[0] is layer


def test_every_node_finds_its_inputs_through_its_indices() -> None:
    a, b = nb3d.Input((4,)), nb3d.Input((4,))
    dense, twin = layers.Dense(4), Twin()
    one, two = dense(a), dense(b)
    left, right = twin(two)
    last = layers.Add()
    y = last([one, right, left, b])
    model = nb3d.Model([a, b], y)
    for layer in [*model.layers, model]:
        for node in layer.inbound_nodes:
            assert len(node.inbound_layers) == len(node.node_indices) == len(node.tensor_indices)
            for i, inbound in enumerate(node.inbound_layers):
                origin = inbound.inbound_nodes[node.node_indices[i]]
                assert origin.output_tensors[node.tensor_indices[i]] is node.input_tensors[i]
    assert list(only_node(last).node_indices) == [0, 0, 0, 0]
    assert list(only_node(last).tensor_indices) == [0, 1, 0, 0]
    assert only_node(twin).node_indices == [1]


@pytest.mark.parametrize(("kwargs", "recorded"), [({}, {}), ({"offset": 2.0}, {"offset": 2.0})])
def test_arguments_are_the_keywords_of_the_call(kwargs: dict[str, Any], recorded: dict[str, Any]) -> None:
    layer = Weighted()
    layer(nb3d.Input((4,)), **kwargs)
    assert only_node(layer).arguments == recorded


def test_positional_extras_are_not_recorded_as_arguments() -> None:
    layer = Weighted()
    layer(nb3d.Input((4,)), 3.0, offset=2.0)
    assert only_node(layer).arguments == {"offset": 2.0}


def test_arguments_are_a_copy() -> None:
    layer = Weighted()
    given = {"offset": 2.0}
    layer(nb3d.Input((4,)), **given)
    layer(nb3d.Input((4,)), **given)
    layer.inbound_nodes[0].arguments["offset"] = 5.0
    assert given == {"offset": 2.0}
    assert layer.inbound_nodes[1].arguments == {"offset": 2.0}


def test_an_injected_mask_is_not_an_argument() -> None:
    layer = TakesMask()
    layer(MakesMask()(nb3d.Input((4, 3))))
    assert layer.received[-1] is not None
    assert only_node(layer).arguments == {}


def test_a_mask_which_the_user_gave_is_an_argument() -> None:
    layer = TakesMask()
    layer(MakesMask()(nb3d.Input((4, 3))), mask=None)
    assert only_node(layer).arguments == {"mask": None}


def test_the_config_of_a_node_names_layers_and_indices() -> None:
    x = nb3d.Input((4,), name="x")
    twin = Twin(name="twin")
    twin(nb3d.Input((4,)))
    left, right = twin(x)
    layer = layers.Add(name="join")
    layer([right, x, left])
    config = only_node(layer).get_config()
    assert config["outbound_layer"] == "join"
    assert list(config["inbound_layers"]) == ["twin", "x", "twin"]
    assert list(config["node_indices"]) == [1, 0, 1]
    assert list(config["tensor_indices"]) == [1, 0, 0]


def test_an_input_node_has_no_inbound_side() -> None:
    x = nb3d.Input((4,))
    source, node_index, tensor_index = x._keras_history
    assert (node_index, tensor_index) == (0, 0)
    node = only_node(source)
    assert node.outbound_layer is source
    assert list(node.inbound_layers) == []
    assert list(node.node_indices) == []
    assert list(node.tensor_indices) == []
    assert len(node.input_tensors) == len(node.output_tensors) == 1
    assert node.input_tensors[0] is node.output_tensors[0] is x


def test_history_names_layer_call_and_place() -> None:
    layer = Twin()
    for call in range(3):
        for place, tensor in enumerate(layer(nb3d.Input((4,)))):
            history = tensor._keras_history
            assert history[0] is layer
            assert tuple(history[1:]) == (call, place)


def test_a_copied_identity_has_its_own_history_and_leaves_the_input_s_alone() -> None:
    x = nb3d.Input((4,))
    before = x._keras_history
    layer = Same()
    y = layer(x)
    assert tuple(x._keras_history) == tuple(before)
    assert tuple(y._keras_history) == (layer, 0, 0)


def test_the_first_node_of_a_model_has_no_inbound_layers() -> None:
    a, b = nb3d.Input((4,)), nb3d.Input((4,))
    y = layers.Add()([a, b])
    model = nb3d.Model([a, b], y)
    node = only_node(model)
    assert list(node.inbound_layers) == []
    assert [tensor is given for tensor, given in zip(node.input_tensors, [a, b], strict=True)] == [True, True]
    assert node.output_tensors[0] is y
    c = nb3d.Input((4,))
    z = model([c, a])
    assert tuple(z._keras_history) == (model, 1, 0)
    assert len(model.inbound_nodes) == 2
    assert [inbound.name for inbound in model.inbound_nodes[1].inbound_layers] == [
        c._keras_history[0].name,
        a._keras_history[0].name,
    ]


def test_calling_a_model_adds_no_node_to_the_layers_within() -> None:
    x = nb3d.Input((4,))
    dense = layers.Dense(4)
    model = nb3d.Model(x, dense(x))
    other = nb3d.Input((4,))
    model(other)
    assert len(dense.inbound_nodes) == 1
    assert list(other._keras_history[0].outbound_nodes) == [model.inbound_nodes[1]]
