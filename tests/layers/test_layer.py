"""`Layer`, and what layers do beyond the promises of `check_layer`."""

from typing import Any

import numpy as np
import pytest

import nb3d
from tests.layers.check import volume

layers = nb3d.layers


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (("w", (2, 3), "float64", "ones", None, False), {}),
        (((2, 3), "ones", "float64", False), {"name": "w"}),
        (((2, 3), "ones", "float64", False, None, None, "w"), {}),
        ((), {"name": "w", "shape": [2, 3], "dtype": "float64", "initializer": "ones", "trainable": False}),
    ],
    ids=["Keras 2", "Keras 3", "Keras 3, all by place", "by name"],
)
def test_add_weight_takes_its_arguments_in_either_order(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    weight = layers.Layer(name="stem").add_weight(*args, **kwargs)
    assert weight.name.endswith("/w")
    assert (weight.shape, weight.dtype, weight.trainable) == ((2, 3), "float64", False)
    np.testing.assert_array_equal(weight.numpy(), np.ones((2, 3)))


def test_a_weight_without_name_and_shape_is_a_number() -> None:
    layer = layers.Layer()
    assert [layer.add_weight().shape, layer.add_weight(shape=3).shape] == [(), (3,)]
    assert [weight.name.split("/")[-1] for weight in layer.weights] == ["variable", "variable_1"]


@pytest.mark.parametrize(
    ("args", "kwargs"), [(("w",), {"name": "v"}), ((), {"size": 3}), (((1,), *(None,) * 7), {})], ids=str
)
def test_add_weight_refuses_other_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="add_weight"):
        layers.Layer().add_weight(*args, **kwargs)


def test_initial_weights_follow_the_random_seed() -> None:
    def weights() -> np.ndarray:
        nb3d.utils.set_random_seed(5)
        layer = layers.Layer()
        return np.concatenate([layer.add_variable("a", (4,)).numpy(), layer.add_weight("b", (4,)).numpy()])

    np.testing.assert_array_equal(weights(), weights())


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_convolution_bias_and_activation_are_operations_of_their_own(data_format: str) -> None:
    shape = (4, 4, 4, 2) if data_format == "channels_last" else (2, 4, 4, 4)
    tensor = layers.Conv3D(3, 2, activation="relu", data_format=data_format)(nb3d.Input(shape))
    found = []
    while tensor.producer is not None:
        found.append(tensor.producer.op.name)
        tensor = tensor.producer.inputs[0]
    chain = ["relu", "add", "conv3d"]
    if data_format == "channels_first":
        chain = ["relu", "transpose", "add", "conv3d", "transpose"]
    assert found == ["identity", *chain]


def test_asking_for_a_shape_files_nothing_with_layers_inside() -> None:
    class Block(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.BatchNormalization(activity_regularizer="l2")

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    block = Block()
    block(nb3d.Input((3,)))
    assert block.compute_output_shape((None, 3)) == (None, 3)
    assert (len(block.updates), len(block.losses)) == (2, 1)


def test_weights_are_made_when_they_are_needed() -> None:
    layer = layers.Dense(100_000)
    layer(nb3d.Input((100_000,)))
    assert layer.count_params() == 10**10 + 10**5


def test_dropping_everything_leaves_zeros() -> None:
    np.testing.assert_array_equal(layers.Dropout(1.0)(np.ones(9, "float32"), training=True), np.zeros(9))


@pytest.mark.parametrize(("data_format", "axes"), [("channels_last", (1, 2, 3)), ("channels_first", (2, 3, 4))])
def test_spatial_dropout_drops_whole_channels(data_format: str, axes: tuple[int, ...]) -> None:
    x = np.ones((8, 3, 8, 3, 8) if data_format == "channels_first" else (8, 3, 3, 8, 8), "float32")
    y = layers.SpatialDropout3D(0.5, data_format=data_format, seed=3)(x, training=True)
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y.max(axis=axes) == y.min(axis=axes)).all()


def test_a_frozen_batch_normalization_keeps_to_its_averages() -> None:
    layer = layers.BatchNormalization(trainable=False)
    x = volume((2, 3, 3, 3, 4))
    np.testing.assert_array_equal(layer(x, training=True), layer(x))
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(4))


def test_batch_normalization_that_is_told_not_to_train_files_no_updates() -> None:
    layer = layers.BatchNormalization()
    layer(nb3d.Input((4,)), training=False)
    assert layer.updates == []


def test_batch_normalization_in_training_normalizes_the_batch_and_moves_its_averages() -> None:
    layer = layers.BatchNormalization(momentum=0.5)
    x = volume((4, 3, 3, 3, 2)) * 3 + 1
    y = layer(x, training=True)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2, 3)), [0, 0], atol=1e-5)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2, 3)), [1, 1], rtol=1e-3)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.5 * x.mean(axis=(0, 1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.5 + 0.5 * x.var(axis=(0, 1, 2, 3)), rtol=1e-5)


def test_a_lambda_hands_on_the_training_mode() -> None:
    layer = layers.Lambda(lambda x, training=None: x * (2.0 if training else 1.0))
    assert layer(np.ones(1, "float32"), training=True).item() == 2.0
    assert layer(np.ones(1, "float32")).item() == 1.0


def test_a_lambda_accepts_the_arguments_of_keras() -> None:
    layer = layers.Lambda(np.negative, output_shape=(3,), mask=lambda inputs, mask: mask, arguments={})
    assert layer.supports_masking
    assert layer.get_config()["function"] == "negative"


def test_inputs_may_begin_at_a_tensor_of_another_graph_s_making() -> None:
    source = nb3d.Input((3,))
    x = nb3d.Input(tensor=layers.ReLU()(source))
    assert x._keras_history[0] is not source._keras_history[0]
    assert nb3d.function([x], [layers.ReLU()(x)])([np.array([[-1.0, 0.0, 1.0]], "float32")])[0].tolist() == [[0, 0, 1]]
    assert nb3d.function([source], [x + 1.0])([np.full((1, 3), -1.0, "float32")])[0].tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("kwargs", [{"tensor": np.ones(3)}, {"tensor": 3}], ids=["array", "number"])
def test_an_input_cannot_begin_at_values(kwargs: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="tensor"):
        nb3d.Input(**kwargs)


def test_an_input_refuses_what_contradicts_its_tensor() -> None:
    tensor = nb3d.KerasTensor((2, 3), "float64")
    with pytest.raises(ValueError, match="shape"):
        nb3d.Input((4,), tensor=tensor)
    with pytest.raises(ValueError, match="dtype"):
        nb3d.Input(tensor=tensor, dtype="float32")
