"""Variables in operations, assignments, and layers of one's own whose ``call`` is written in operations."""

from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from tests.engine.helpers import assert_close


def variable(values: Any, name: str = "v") -> Any:
    array = np.asarray(values, "float32")
    made = nb3d.layers.Layer().add_weight(name=name, shape=array.shape, initializer="zeros")
    made.assign(array)
    return made


def value_of(tensor: Any) -> np.ndarray:
    return nb3d.function([], [tensor])([])[0]


# ---- reading


def test_a_variable_with_a_symbol_is_symbolic_and_live() -> None:
    v = variable([1.0, 2.0, 3.0])
    x = nb3d.Input((3,))
    tensors = [x * v, v - x, ops.maximum(v, x), ops.concatenate([x, x + v], axis=-1)]
    assert [tensor.shape for tensor in tensors] == [(None, 3)] * 3 + [(None, 6)]
    run = nb3d.function([x], tensors)
    array = np.full((2, 3), 2.0, "float32")
    for factor in (1.0, -2.0):
        v.assign(np.array([1.0, 2.0, 3.0]) * factor)
        values = v.numpy()
        for result, expected in zip(
            run([array]),
            [array * values, values - array, np.maximum(values, array), np.concatenate([array, array + values], -1)],
            strict=True,
        ):
            np.testing.assert_array_equal(result, expected)


def test_variables_alone_make_a_live_symbol() -> None:
    v, w = variable([1.0, 2.0]), variable([3.0, 4.0])
    tensor = ops.sum(ops.square(v) + v * w)
    assert isinstance(tensor, nb3d.KerasTensor)
    assert tensor.shape == ()
    assert_close(value_of(tensor), 1 + 4 + 3 + 8)
    v.assign(np.zeros(2))
    assert_close(value_of(tensor), 0.0)


def test_in_eager_mode_variables_compute_at_once() -> None:
    v = variable([1.0, 2.0])
    with nb3d.eager_mode():
        result = ops.sum(v * 2.0)
    assert_close(result, 6.0)
    assert not isinstance(result, nb3d.KerasTensor)


@pytest.mark.parametrize(
    ("apply", "expected"),
    [
        (lambda v: v + 1, [2, 4]),
        (lambda v: 1 - v, [0, -2]),
        (lambda v: v * v, [1, 9]),
        (lambda v: 3 / v, [3, 1]),
        (lambda v: v**2, [1, 9]),
        (lambda v: -v, [-1, -3]),
        (lambda v: abs(v), [1, 3]),
        (lambda v: v[1:], [3]),
    ],
    ids=["v + 1", "1 - v", "v * v", "3 / v", "v ** 2", "-v", "abs(v)", "v[1:]"],
)
def test_a_variable_has_the_operators_of_a_tensor(apply: Any, expected: list[float]) -> None:
    assert_close(value_of(apply(variable([1.0, 3.0]))), expected)


# ---- assignments


@pytest.mark.parametrize(
    ("assign", "once", "twice"),
    [(ops.assign, [5.0, 6.0], [5.0, 6.0]), (ops.assign_add, [6.0, 8.0], [11.0, 14.0])],
    ids=["assign", "assign_add"],
)
def test_an_assignment_runs_as_an_update_and_only_then(assign: Any, once: list[float], twice: list[float]) -> None:
    v = variable([1.0, 2.0])
    x = nb3d.Input(batch_shape=(2,))
    update = assign(v, x)
    run = nb3d.function([x], [x + 1], updates=[update])
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])
    array = np.array([5.0, 6.0], "float32")
    for expected in (once, twice):
        np.testing.assert_array_equal(run([array])[0], array + 1)
        np.testing.assert_array_equal(v.numpy(), expected)
    nb3d.function([x], [x + 1])([array])
    np.testing.assert_array_equal(v.numpy(), twice)


def test_updates_run_though_no_output_needs_them() -> None:
    v, w = variable([1.0]), variable([10.0])
    nb3d.function([], [], updates=[ops.assign(v, w * 2.0), ops.assign_add(w, [5.0])])([])
    assert v.numpy()[0] in (20.0, 30.0)
    np.testing.assert_array_equal(w.numpy(), [15.0])


def test_outputs_are_those_from_before_the_updates() -> None:
    v = variable([1.0])
    x = nb3d.Input(batch_shape=(1,))
    run = nb3d.function([x], [x * v], updates=[ops.assign_add(v, x)])
    array = np.array([2.0], "float32")
    np.testing.assert_array_equal(run([array])[0], [2.0])
    np.testing.assert_array_equal(run([array])[0], [6.0])


@pytest.mark.parametrize("assign", [ops.assign, ops.assign_add])
def test_an_assignment_of_another_shape_is_refused(assign: Any) -> None:
    v = variable([1.0, 2.0])
    with pytest.raises(ValueError, match=r"shape|\(3,\)"):
        assign(v, nb3d.Input(batch_shape=(3,)))


@pytest.mark.parametrize("target", [np.zeros(2, "float32"), 3.0], ids=["array", "number"])
def test_only_a_variable_can_be_assigned_to(target: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        ops.assign(target, np.ones(2, "float32"))


def test_any_symbolic_tensor_may_be_an_update() -> None:
    x = nb3d.Input((3,))
    layer = nb3d.layers.Flatten()
    layer(x)
    item = ops.sum(x)
    layer.add_update(item, inputs=x)
    assert layer.get_updates_for(x) == [item]
    result = nb3d.function([x], [x + 1], updates=layer.get_updates_for(x))([np.zeros((1, 3), "float32")])
    assert len(result) == 1


# ---- a layer of one's own


class SqueezeExcite(nb3d.layers.Layer):
    """Scales each channel by what a small network makes of the channel means."""

    def build(self, input_shape: Any) -> None:
        channels = input_shape[-1]
        self.down = self.add_weight(name="down", shape=(channels, 2), initializer="glorot_uniform")
        self.up = self.add_weight(name="up", shape=(2, channels), initializer="glorot_uniform")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        means = ops.mean(inputs, axis=(1, 2, 3))
        gates = ops.sigmoid(ops.matmul(ops.relu(ops.matmul(means, self.down)), self.up))
        return inputs * ops.reshape(gates, (-1, 1, 1, 1, inputs.shape[-1]))


def test_a_layer_of_one_s_own_is_the_same_in_every_mode() -> None:
    x = nb3d.Input((None, 3, 4, 6))
    layer = SqueezeExcite()
    y = layer(x)
    assert y.shape == (None, None, 3, 4, 6)
    assert y._keras_history[0] is layer
    assert len(layer.inbound_nodes) == 1
    model = nb3d.Model(x, nb3d.layers.Conv3D(2, 1)(y))
    array = np.random.default_rng(0).standard_normal((2, 5, 3, 4, 6)).astype("float32")
    down, up = (weight.numpy() for weight in layer.weights)
    gates = 1 / (1 + np.exp(-np.maximum(array.mean(axis=(1, 2, 3)) @ down, 0) @ up))
    expected = array * gates[:, None, None, None, :]
    assert_close(layer(array), expected)
    assert_close(nb3d.function([x], [y])([array])[0], expected)
    last = model.layers[-1]
    assert_close(model.predict(array, verbose=0), last(expected))
    assert len(model.weights) == 4


def test_a_layer_without_weights_needs_only_call() -> None:
    class Halve(nb3d.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs[:, ::2, ::2, ::2] / 2

    x = nb3d.Input((6, 5, None, 1))
    y = Halve()(x)
    assert y.shape == (None, 3, 3, None, 1)
    array = np.ones((1, 6, 5, 4, 1), "float32")
    np.testing.assert_array_equal(nb3d.Model(x, y).predict(array, verbose=0), array[:, ::2, ::2, ::2] / 2)


def test_layers_within_a_layer_compute_and_share_one_node() -> None:
    class Block(nb3d.layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.conv = nb3d.layers.Conv3D(3, 3, padding="same")
            self.act = nb3d.layers.Activation("relu")

        def call(self, inputs: Any) -> Any:
            return self.act(self.conv(inputs)) + inputs

    x = nb3d.Input((4, 4, 4, 3))
    layer = Block()
    y = layer(x)
    assert y._keras_history[0] is layer
    model = nb3d.Model(x, y)
    assert [type(part).__name__ for part in model.layers] == ["InputLayer", "Block"]
    array = np.random.default_rng(1).standard_normal((2, 4, 4, 4, 3)).astype("float32")
    expected = np.maximum(layer.conv(array), 0) + array
    assert_close(layer(array), expected)
    assert_close(model.predict(array, verbose=0), expected)
