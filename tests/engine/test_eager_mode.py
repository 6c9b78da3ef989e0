"""``nb3d.eager_mode()``: inside it nothing is recorded, and what needs records is a RuntimeError."""

from typing import Any

import numpy as np
import pytest

import nb3d
from tests.engine.helpers import assert_close, count

layers = nb3d.layers

ATTRIBUTES = ["input", "output", "input_shape", "output_shape", "input_mask", "output_mask"]
OTHERS = ["updates", "graph"]


def connected() -> Any:
    layer = layers.Dense(2)
    layer(nb3d.Input((3,)))
    return layer


def never_called() -> Any:
    return layers.Dense(2)


@pytest.mark.parametrize("make", [connected, never_called])
@pytest.mark.parametrize("what", ATTRIBUTES + OTHERS)
def test_attributes_are_a_runtime_error_even_before_connectivity_is_looked_at(what: str, make: Any) -> None:
    layer = make()
    with nb3d.eager_mode(), pytest.raises(RuntimeError):
        getattr(layer, what)


@pytest.mark.parametrize("make", [connected, never_called])
@pytest.mark.parametrize("what", ATTRIBUTES)
@pytest.mark.parametrize("index", [0, 9])
def test_getters_by_index_are_a_runtime_error(what: str, make: Any, index: int) -> None:
    layer = make()
    with nb3d.eager_mode(), pytest.raises(RuntimeError):
        getattr(layer, f"get_{what}_at")(index)


@pytest.mark.parametrize("method", ["get_losses_for", "get_updates_for", "add_loss"])
def test_losses_and_updates_for_inputs_are_a_runtime_error(method: str) -> None:
    layer = connected()
    with nb3d.eager_mode(), pytest.raises(RuntimeError):
        getattr(layer, method)(None)


def test_a_layer_made_in_eager_mode_answers_alike() -> None:
    with nb3d.eager_mode():
        layer = layers.Dense(2)
        layer(count((2, 3)))
        with pytest.raises(RuntimeError):
            layer.input
        with pytest.raises(RuntimeError):
            layer.graph
    assert list(layer.inbound_nodes) == []


def test_add_update_is_ignored() -> None:
    layer = connected()
    with nb3d.eager_mode():
        assert layer.add_update(np.ones(1, "float32")) is None
    assert list(layer.updates) == []


def test_a_weight_with_a_regularizer_is_a_runtime_error() -> None:
    with nb3d.eager_mode():
        layer = nb3d.layers.Layer()
        with pytest.raises(RuntimeError, match="regularizer"):
            layer.add_variable(
                name="a", shape=(1,), initializer=nb3d.initializers.get("ones"), regularizer=lambda w: nb3d.ops.sum(w)
            )
        dense = layers.Dense(2, kernel_regularizer="l2")
        with pytest.raises(RuntimeError, match="regularizer"):
            dense(count((2, 3)))


def test_an_activity_regularizer_is_refused_at_construction() -> None:
    with nb3d.eager_mode(), pytest.raises(ValueError, match="activity_regularizer"):
        layers.Dense(2, activity_regularizer="l2")


def test_an_activity_regularizer_from_before_is_refused_at_the_first_call() -> None:
    layer = layers.Dense(2, activity_regularizer="l2")
    with nb3d.eager_mode(), pytest.raises(ValueError, match="activity_regularizer"):
        layer(count((2, 3)))


def test_calls_on_arrays_compute() -> None:
    layer = layers.Dense(2, kernel_initializer="ones")
    array = count((4, 3))
    with nb3d.eager_mode():
        result = layer(array)
    assert isinstance(result, np.ndarray)
    assert_close(result, np.repeat(array.sum(axis=1, keepdims=True), 2, axis=1))


def test_weights_and_configuration_work_as_ever() -> None:
    with nb3d.eager_mode():
        layer = layers.Dense(2, name="head")
        assert layer.get_weights() == []
        layer(count((4, 3)))
        assert layer.count_params() == 8
        layer.set_weights([np.ones((3, 2)), np.ones(2)])
        np.testing.assert_array_equal(layer.get_weights()[1], np.ones(2))
        assert len(layer.trainable_weights) == 2
        layer.trainable = False
        assert len(layer.non_trainable_variables) == 2
        assert type(layer).from_config(layer.get_config()).name == "head"


def test_the_mode_ends_with_the_block() -> None:
    layer = connected()
    with nb3d.eager_mode():
        with nb3d.eager_mode():
            pass
        with pytest.raises(RuntimeError):
            layer.input
    assert layer.input is layer.get_input_at(0)
    with pytest.raises(KeyError), nb3d.eager_mode():
        raise KeyError
    assert layer.output_shape == (None, 2)
    assert len(layer.updates) == 0
