"""The two layers whose calls differ from each other: ``Lambda`` and ``Dropout``."""

from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from tests.engine.helpers import MakesMask, assert_close, count, evaluate

layers = nb3d.layers
WIDE = (64, 128)


def dropped(values: np.ndarray, rate: float) -> None:
    """Asserts that ones went through an inverted dropout of `rate`."""
    assert set(np.unique(values)) == {np.float32(0.0), np.float32(1.0 / (1.0 - rate))}
    assert abs((values == 0).mean() - rate) < 0.05


# ---- Lambda


def test_a_lambda_computes_its_function_in_all_three_ways() -> None:
    x = nb3d.Input((4,))
    layer = layers.Lambda(lambda tensor: ops.sum(tensor * tensor, axis=-1, keepdims=True))
    model = nb3d.Model(x, layer(x))
    array = count((3, 4))
    expected = (array**2).sum(axis=-1, keepdims=True)
    assert layer.output_shape == (None, 1)
    assert_close(evaluate(model.outputs, {x: array})[0], expected)
    assert_close(layer(array), expected)
    assert_close(model(array), expected)


def test_a_lambda_gives_its_arguments_to_the_function() -> None:
    layer = layers.Lambda(lambda tensor, factor, offset=0.0: tensor * factor + offset, arguments={"factor": 3.0})
    np.testing.assert_array_equal(layer(count((2, 2))), count((2, 2)) * 3.0)
    x = nb3d.Input((2,))
    np.testing.assert_array_equal(evaluate([layer(x)], {x: count((2, 2))})[0], count((2, 2)) * 3.0)


def test_a_shared_lambda_has_a_node_and_a_shape_for_each_call() -> None:
    layer = layers.Lambda(lambda tensor: ops.concatenate([tensor, tensor], axis=-1))
    inputs = [nb3d.Input((3,)), nb3d.Input((5, 4))]
    outputs = [layer(x) for x in inputs]
    assert [tensor.shape for tensor in outputs] == [(None, 6), (None, 5, 8)]
    assert len(layer.inbound_nodes) == 2
    assert layer.get_output_at(1) is outputs[1]
    assert tuple(outputs[1]._keras_history) == (layer, 1, 0)


def test_the_weights_of_a_layer_inside_a_lambda_belong_to_nobody() -> None:
    x = nb3d.Input((3,))
    inner = layers.Dense(2)
    outer = layers.Lambda(lambda tensor: inner(tensor))
    y = outer(x)
    assert y._keras_history[0] is outer
    assert len(inner.inbound_nodes) == 1
    assert len(inner.weights) == 2
    model = nb3d.Model(x, y)
    assert list(outer.weights) == list(model.weights) == []
    assert inner not in model.layers
    array = count((2, 3))
    assert_close(model(array), inner(array))
    assert_close(evaluate([y], {x: array})[0], inner(array))


def test_a_mask_given_to_the_function_does_not_leak_into_later_calls() -> None:
    seen: list[Any] = []

    def keep(tensor: Any, mask: Any = None) -> Any:
        seen.append(mask)
        return tensor + 1.0

    layer = layers.Lambda(keep, arguments={})
    masked = MakesMask()(nb3d.Input((4, 3)))
    layer(masked)
    layer(nb3d.Input((4, 3)))
    assert seen == [masked._keras_mask, None]
    assert layer.arguments == {}


def test_the_arguments_dictionary_of_the_user_is_not_written_to() -> None:
    arguments = {"factor": 2.0}
    layer = layers.Lambda(lambda tensor, factor, mask=None: tensor * factor, arguments=arguments)
    layer(MakesMask()(nb3d.Input((4, 3))))
    assert arguments == {"factor": 2.0}


# ---- Dropout


@pytest.mark.parametrize("kwargs", [{}, {"training": False}], ids=str)
def test_dropout_is_the_identity_unless_it_trains(kwargs: dict[str, Any]) -> None:
    x = nb3d.Input(WIDE[1:])
    layer = layers.Dropout(0.5)
    y = layer(x, **kwargs)
    ones = np.ones(WIDE, "float32")
    np.testing.assert_array_equal(evaluate([y], {x: ones})[0], ones)
    np.testing.assert_array_equal(layer(ones, **kwargs), ones)
    np.testing.assert_array_equal(nb3d.Model(x, y).predict(ones, verbose=0), ones)


@pytest.mark.parametrize("rate", [0.25, 0.5])
def test_dropout_in_training_drops_and_scales(rate: float) -> None:
    x = nb3d.Input(WIDE[1:])
    layer = layers.Dropout(rate, seed=1)
    ones = np.ones(WIDE, "float32")
    dropped(layer(ones, training=True), rate)
    symbolic = layer(x, training=True)
    dropped(evaluate([symbolic], {x: ones})[0], rate)
    dropped(nb3d.Model(x, symbolic)(ones), rate)


def test_dropout_draws_anew_in_every_run() -> None:
    x = nb3d.Input(WIDE[1:])
    layer = layers.Dropout(0.5)
    run = nb3d.function([x], [layer(x, training=True)])
    ones = np.ones(WIDE, "float32")
    assert not np.array_equal(run([ones])[0], run([ones])[0])
    assert not np.array_equal(layer(ones, training=True), layer(ones, training=True))


def test_a_model_in_training_reaches_the_dropout_within() -> None:
    x = nb3d.Input(WIDE[1:])
    model = nb3d.Model(x, layers.Dropout(0.5)(x))
    ones = np.ones(WIDE, "float32")
    np.testing.assert_array_equal(model(ones), ones)
    dropped(model(ones, training=True), 0.5)
    again = nb3d.Input(WIDE[1:])
    outer = nb3d.Model(again, model(again))
    dropped(outer(ones, training=True), 0.5)


def test_dropout_of_rate_zero_does_nothing() -> None:
    ones = np.ones(WIDE, "float32")
    np.testing.assert_array_equal(layers.Dropout(0.0)(ones, training=True), ones)


@pytest.mark.parametrize("shape", [(None, 1), (64, 1)])
def test_a_noise_shape_drops_whole_rows(shape: tuple[int | None, ...]) -> None:
    values = layers.Dropout(0.5, noise_shape=shape)(np.ones(WIDE, "float32"), training=True)
    assert (values == values[:, :1]).all()
    assert set(np.unique(values)) == {0.0, 2.0}


@pytest.mark.parametrize("bad", [-0.1, 1.5, float("nan"), "half"], ids=str)
def test_a_rate_that_is_no_probability_is_refused(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="rate"):
        layers.Dropout(bad)
