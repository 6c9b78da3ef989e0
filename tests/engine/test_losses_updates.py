"""Losses and updates of layers: which there are, for which inputs, and what they are worth."""

from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from tests.engine.helpers import Twin, assert_close, count, evaluate

layers = nb3d.layers

KINDS = ["losses", "updates"]


def items_for(layer: Any, kind: str, inputs: Any) -> list[Any]:
    """``get_losses_for`` or ``get_updates_for``."""
    return getattr(layer, f"get_{kind}_for")(inputs)


def add_item(layer: Any, kind: str, items: Any, **kwargs: Any) -> Any:
    """``add_loss`` or ``add_update``."""
    return getattr(layer, "add_loss" if kind == "losses" else "add_update")(items, **kwargs)


def sum_of(tensor: Any) -> Any:
    return ops.sum(tensor)


class PerCall(nb3d.layers.Layer):
    """Adds one unconditional item in `build`, and one that depends on the inputs in every call."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def build(self, input_shape: Any) -> None:
        self.a = self.add_variable("a", (1, 1), "float32", trainable=False)
        self.b = self.add_variable("b", (1, 1), "float32", trainable=False)
        add_item(self, self.kind, ops.sum(self.a) if self.kind == "losses" else ops.assign_add(self.a, [[1.0]]))
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        item = ops.sum(inputs) if self.kind == "losses" else ops.assign_add(self.b, ops.sum(inputs, keepdims=True))
        add_item(self, self.kind, item, inputs=True)
        return inputs + 1.0


def regularized_conv() -> Any:
    return layers.Conv3D(
        1,
        1,
        kernel_initializer="ones",
        kernel_regularizer=nb3d.regularizers.L2(0.5),
        bias_regularizer="l1",
        activity_regularizer=sum_of,
    )


# ---- the counts of one layer


def test_losses_of_a_convolution_unbuilt_built_and_called() -> None:
    layer = regularized_conv()
    assert list(layer.losses) == []
    layer.build((None, 2, 2, 2, 1))
    assert len(layer.losses) == len(layer.get_losses_for(None)) == 2
    inputs = [nb3d.Input((2, 2, 2, 1)) for _ in range(2)]
    for calls, x in enumerate(inputs, 1):
        layer(x)
        assert len(layer.losses) == 2 + calls
        assert len(layer.get_losses_for(x)) == 1
    assert len(layer.get_losses_for(None)) == 2
    assert layer.get_losses_for(inputs[0])[0] is not layer.get_losses_for(inputs[1])[0]


def test_an_activity_loss_for_each_output() -> None:
    x = nb3d.Input((3,))
    layer = Twin(activity_regularizer=sum_of)
    layer(x)
    assert len(layer.get_losses_for(x)) == 2
    array = count((2, 3))
    assert_close(evaluate(layer.get_losses_for(x), {x: array}), [(array + 1).sum(), (array * 2).sum()])


def test_a_call_on_an_array_adds_no_loss() -> None:
    layer = regularized_conv()
    layer(count((1, 2, 2, 2, 1)))
    assert len(layer.losses) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("many", [lambda a, b: [a, b], lambda a, b: (a, b)], ids=["list", "tuple"])
def test_one_item_or_several_in_the_order_of_insertion(kind: str, many: Any) -> None:
    x = nb3d.Input((3,))
    layer = layers.Flatten()
    layer(x)
    one, two, three = (ops.sum(x) * factor for factor in (1.0, 2.0, 3.0))
    assert add_item(layer, kind, one, inputs=x) is None
    assert add_item(layer, kind, many(two, three), inputs=x) is None
    assert [a is b for a, b in zip(items_for(layer, kind, x), [one, two, three], strict=True)] == [True] * 3
    assert len(getattr(layer, kind)) == 3
    assert items_for(layer, kind, None) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nothing", [[], ()])
def test_no_items_change_nothing(kind: str, nothing: Any) -> None:
    x = nb3d.Input((3,))
    layer = layers.Flatten()
    layer(x)
    assert add_item(layer, kind, nothing) is None
    assert add_item(layer, kind, nothing, inputs=x) is None
    assert list(getattr(layer, kind)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_without_inputs_an_item_is_unconditional(kind: str) -> None:
    x = nb3d.Input((3,))
    layer = layers.Dense(1, kernel_initializer="ones")
    layer(x)
    item = ops.sum(layer.kernel)
    add_item(layer, kind, item)
    assert [found is item for found in items_for(layer, kind, None)] == [True]
    assert items_for(layer, kind, x) == []
    assert len(getattr(layer, kind)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_declared_without_inputs_is_unconditional_even_if_it_depends_on_them(kind: str) -> None:
    x = nb3d.Input((3,))
    layer = layers.Flatten()
    layer(x)
    item = ops.sum(x)
    add_item(layer, kind, item)
    assert items_for(layer, kind, None) == [item]
    assert items_for(layer, kind, x) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_keeps_an_item_added_twice(kind: str) -> None:
    x = nb3d.Input((3,))
    layer = layers.Flatten()
    layer(x)
    item = ops.sum(x)
    add_item(layer, kind, item, inputs=x)
    add_item(layer, kind, [item], inputs=[x])
    assert len(items_for(layer, kind, x)) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_one_tensor_and_a_list_of_it_ask_the_same(kind: str) -> None:
    x = nb3d.Input((3,))
    layer = PerCall(kind)
    layer(x)
    (alone,) = items_for(layer, kind, x)
    (listed,) = items_for(layer, kind, [x])
    assert alone is listed


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_inputs_have_no_items(kind: str) -> None:
    layer = PerCall(kind)
    layer(nb3d.Input((1,)))
    assert list(items_for(layer, kind, nb3d.Input((1,)))) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_of_two_inputs_is_found_by_both_together(kind: str) -> None:
    a, b = nb3d.Input((3,)), nb3d.Input((3,))
    layer = layers.Add()
    y = layer([a, b])
    item = ops.sum(y)
    add_item(layer, kind, item, inputs=[a, b])
    assert [found is item for found in items_for(layer, kind, [a, b])] == [True]
    assert items_for(layer, kind, None) == []


@pytest.mark.parametrize("kind", KINDS)
def test_freezing_a_layer_changes_neither_list(kind: str) -> None:
    layer = PerCall(kind)
    x = nb3d.Input((1,))
    layer(x)
    layer.trainable = False
    assert len(getattr(layer, kind)) == 2
    assert len(items_for(layer, kind, x)) == len(items_for(layer, kind, None)) == 1


# ---- the counts of a model: the scenario of TensorFlow's own test (07ca5807)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_reports_the_items_that_its_inputs_reach(kind: str) -> None:
    def counts(owner: Any, *inputs: Any) -> list[int]:
        return [len(getattr(owner, kind)), *(len(items_for(owner, kind, x)) for x in inputs)]

    layer = PerCall(kind)
    x1 = nb3d.Input((1,))
    layer(x1)
    assert counts(layer, x1, None) == [2, 1, 1]
    x2 = nb3d.Input((1,))
    y2 = layer(x2)
    assert counts(layer, x1, x2, None) == [3, 1, 1, 1]

    model = nb3d.Model(x2, y2)
    assert counts(model, x1, x2, None) == [2, 0, 1, 1]
    layer(nb3d.Input((1,)))
    assert counts(model, x1, x2, None) == [2, 0, 1, 1]
    x4 = nb3d.Input((1,))
    model(x4)
    assert counts(model, x2, x4, None) == [3, 1, 1, 1]

    add_item(model, kind, ops.sum(layer.a) if kind == "losses" else ops.assign_add(layer.a, [[1.0]]))
    assert counts(model, None) == [4, 2]
    add_item(
        model,
        kind,
        ops.sum(x4) if kind == "losses" else ops.assign_add(layer.b, ops.sum(x4, keepdims=True)),
        inputs=True,
    )
    assert counts(model, x4) == [5, 2]
    assert counts(model, x2, None) == [5, 1, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_shared_within_a_model_counts_once_for_each_of_its_nodes(kind: str) -> None:
    a, b = nb3d.Input((1,)), nb3d.Input((1,))
    layer = PerCall(kind)
    model = nb3d.Model([a, b], layers.Add()([layer(a), layer(b)]))
    assert len(getattr(model, kind)) == 3
    assert len(items_for(model, kind, None)) == 1
    assert len(items_for(model, kind, [a, b])) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_within_a_model_reports_only_what_the_outer_inputs_reach(kind: str) -> None:
    inner_x = nb3d.Input((1,))
    inner = nb3d.Model(inner_x, PerCall(kind)(inner_x))
    x = nb3d.Input((1,))
    outer = nb3d.Model(x, inner(x))
    assert len(getattr(outer, kind)) == 2
    assert len(items_for(outer, kind, x)) == len(items_for(outer, kind, None)) == 1
    assert list(items_for(outer, kind, inner_x)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_that_is_also_within_an_inner_model_counts_once(kind: str) -> None:
    layer = PerCall(kind)
    inner_x, x = nb3d.Input((1,)), nb3d.Input((1,))
    inner = nb3d.Model(inner_x, layer(inner_x))
    outer = nb3d.Model(x, layers.Add()([inner(x), layer(x)]))
    assert len(items_for(outer, kind, None)) == 1
    assert len(items_for(outer, kind, x)) == 2
    assert len(getattr(outer, kind)) == 3


def test_items_of_layers_outside_the_model_are_not_the_model_s() -> None:
    x = nb3d.Input((2, 2, 2, 1))
    regularized_conv()(x)
    model = nb3d.Model(x, layers.Flatten()(x))
    assert list(model.losses) == []


# ---- the values


def test_a_weight_loss_follows_the_weight() -> None:
    layer = regularized_conv()
    layer.build((None, 2, 2, 2, 1))
    run = nb3d.function([], list(layer.losses))
    for kernel, bias in [(1.0, 0.0), (-3.0, 2.0)]:
        layer.set_weights([np.full((1, 1, 1, 1, 1), kernel), np.full((1,), bias)])
        assert_close([float(value) for value in run([])], [0.5 * kernel**2, 0.01 * abs(bias)])


def test_an_activity_loss_follows_the_fed_array_and_is_not_divided_by_the_batch() -> None:
    x = nb3d.Input((2, 2, 2, 1))
    layer = regularized_conv()
    layer(x)
    run = nb3d.function([x], layer.get_losses_for(x))
    for array in (np.ones((1, 2, 2, 2, 1), "float32"), np.ones((3, 2, 2, 2, 1), "float32"), count((2, 2, 2, 2, 1))):
        assert_close(run([array])[0], array.sum())


def test_the_activity_loss_of_a_composed_model_is_taken_from_the_outputs() -> None:
    inner_x = nb3d.Input((2,))
    dense = layers.Dense(2, kernel_initializer="ones", use_bias=False, activity_regularizer=sum_of)
    inner = nb3d.Model(inner_x, dense(inner_x))
    x = nb3d.Input((2,))
    outer = nb3d.Model(x, inner(x))
    assert len(outer.losses) == len(outer.get_losses_for(x)) == 1
    assert_close(evaluate(outer.losses, {x: np.ones((1, 2), "float32")})[0], 4.0)


def test_a_loss_on_an_inner_tensor_is_evaluated_with_the_outputs() -> None:
    x = nb3d.Input((3,))
    first, second = layers.Dense(2, activity_regularizer=sum_of), layers.Dense(1)
    y = second(first(x))
    array = count((2, 3))
    hidden, loss, out = evaluate([first.output, first.get_losses_for(x)[0], y], {x: array})
    assert_close(loss, hidden.sum())
    assert_close(out, second(hidden))


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("l1", 0.01 * 6),
        ("l2", 0.01 * 14),
        ("l1_l2", 0.01 * 20),
        ({"class_name": "L1L2", "config": {"l1": 0.5, "l2": 2.0}}, 31.0),
    ],
    ids=["l1", "l2", "l1_l2", "dictionary"],
)
def test_the_named_regularizers_sum_without_a_half(identifier: Any, expected: float) -> None:
    layer = layers.Dense(1, kernel_regularizer=identifier, use_bias=False)
    layer.build((None, 3))
    layer.set_weights([np.array([[1.0], [-2.0], [3.0]])])
    assert_close(evaluate(layer.losses)[0], expected)


# ---- updates


def test_an_update_runs_only_when_it_is_asked_for() -> None:
    x = nb3d.Input((1,))
    layer = PerCall("updates")
    y = layer(x)
    layer.set_weights([np.zeros((1, 1)), np.zeros((1, 1))])
    array = np.array([[2.0], [3.0]], "float32")
    np.testing.assert_array_equal(nb3d.function([x], [y])([array])[0], array + 1)
    assert [float(value.item()) for value in layer.get_weights()] == [0.0, 0.0]
    run = nb3d.function([x], [y], updates=layer.get_updates_for(x))
    for runs in (1, 2):
        np.testing.assert_array_equal(run([array])[0], array + 1)
        assert [float(value.item()) for value in layer.get_weights()] == [0.0, 5.0 * runs]
    nb3d.function([], [], updates=layer.get_updates_for(None))([])
    assert [float(value.item()) for value in layer.get_weights()] == [1.0, 10.0]


def test_building_and_calling_symbolically_changes_no_variable() -> None:
    layer = layers.BatchNormalization()
    layer(nb3d.Input((3,)))
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(3))
    np.testing.assert_array_equal(layer.moving_variance.numpy(), np.ones(3))


def test_batch_normalization_files_two_updates_for_each_symbolic_input() -> None:
    layer = layers.BatchNormalization()
    inputs = [nb3d.Input((3,)) for _ in range(2)]
    assert list(layer.updates) == []
    for calls, x in enumerate(inputs, 1):
        layer(x)
        assert len(layer.updates) == 2 * calls
    for x in inputs:
        assert len(layer.get_updates_for(x)) == 2
    assert list(layer.get_updates_for(None)) == []
    layer(count((2, 3)))
    assert len(layer.updates) == 4


def test_the_updates_of_batch_normalization_move_its_averages() -> None:
    shape = (2, 3, 4, 2)
    x, other = nb3d.Input(shape), nb3d.Input(shape)
    layer = layers.BatchNormalization(momentum=0.75)
    y = layer(x)
    layer(other)
    run = nb3d.function([x], [y], updates=layer.get_updates_for(x))
    array = count((3, *shape), -7.0) ** 2 / 100
    mean, variance = np.zeros(2), np.ones(2)
    for _ in range(3):
        run([array])
        mean = 0.75 * mean + 0.25 * array.astype("float64").mean(axis=(0, 1, 2, 3))
        variance = 0.75 * variance + 0.25 * array.astype("float64").var(axis=(0, 1, 2, 3))
        assert_close(layer.moving_mean.numpy(), mean)
        assert_close(layer.moving_variance.numpy(), variance)


def test_the_updates_of_a_model_are_those_of_its_batch_normalizations() -> None:
    x = nb3d.Input((3,))
    first, second = layers.BatchNormalization(), layers.BatchNormalization()
    model = nb3d.Model(x, second(first(x)))
    assert len(model.updates) == len(model.get_updates_for(x)) == 4
    again = nb3d.Input((3,))
    model(again)
    assert len(model.updates) == 8
    assert len(model.get_updates_for(again)) == 4
    nb3d.function([again], [], updates=model.get_updates_for(again))([np.ones((2, 3), "float32")])
    assert_close(first.moving_mean.numpy(), np.full(3, 0.01))
