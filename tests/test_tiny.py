"""Fifteen checks from end to end in under five seconds: run them before every commit."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d as keras
from nb3d import ops
from tests.engine.helpers import assert_close

layers = keras.layers
SHAPE = (6, 8, 8, 1)


def volume(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape or (2, *SHAPE)).astype("float32")


def small_unet() -> Any:
    """Down, up and across: every kind of node of a segmentation network."""
    x = keras.Input(SHAPE, name="scan")
    fine = layers.Conv3D(3, 3, padding="same", use_bias=False, name="fine")(x)
    fine = layers.Activation("relu")(layers.BatchNormalization(name="norm")(fine))
    coarse = layers.Conv3D(4, 3, padding="same", activation="relu", name="coarse")(layers.MaxPooling3D(2)(fine))
    back = layers.Concatenate()([layers.UpSampling3D(2)(coarse), fine])
    y = layers.Conv3D(1, 1, activation="sigmoid", name="mask")(layers.Dropout(0.5)(back))
    return keras.Model(x, y, name="unet")


@pytest.fixture(scope="module")
def unet() -> Any:
    return small_unet()


def test_01_a_network_knows_its_shapes(unet: Any) -> None:
    assert unet.output_shape == (None, *SHAPE)
    assert unet.get_layer("coarse").output_shape == (None, 3, 4, 4, 4)
    assert unet.count_params() == 27 * 3 + 4 * 3 + (27 * 3 * 4 + 4) + (7 + 1)


def test_02_call_predict_and_function_agree(unet: Any) -> None:
    x = volume()
    eager = unet(x)
    assert_close(unet.predict(x, verbose=0), eager)
    assert_close(unet.predict(x, batch_size=1, verbose=0), eager)
    assert_close(keras.function(unet.inputs, unet.outputs)([x])[0], eager)
    assert eager.std() > 0


def test_03_a_convolution_is_a_sum_of_products() -> None:
    x = volume(1, 4, 5, 6, 2)
    layer = layers.Conv3D(3, (2, 3, 1), bias_initializer="ones")
    y = layer(x)
    kernel = layer.kernel.numpy()
    assert y.shape == (1, 3, 3, 6, 3)
    expected = 1 + np.einsum("dhwc,dhwcf->f", x[0, 1:3, 2:5, 3:4], kernel)
    assert_close(y[0, 1, 2, 3], expected)


def test_04_a_shared_layer_tells_its_calls_apart() -> None:
    x, z = keras.Input(SHAPE), keras.Input((4, 4, 4, 1))
    layer = layers.Conv3D(2, 3)
    y = layer(x)
    assert layer.input is x
    layer(z)
    assert layer.get_output_at(0) is y
    assert layer.get_output_shape_at(1) == (None, 2, 2, 2, 2)
    with pytest.raises(AttributeError):
        layer.output


def test_05_losses_are_live() -> None:
    x = keras.Input((3,))
    layer = layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l2", activity_regularizer=ops.sum)
    layer(x)
    run = keras.function([x], [*layer.get_losses_for(None), *layer.get_losses_for(x)])
    assert_close(run([np.ones((2, 3), "float32")]), [0.03, 6.0])
    layer.kernel.assign(2 * np.ones((3, 1)))
    assert_close(run([np.ones((2, 3), "float32")]), [0.12, 12.0])


def test_06_updates_move_the_averages_of_batch_normalization() -> None:
    x = keras.Input((3,))
    layer = layers.BatchNormalization(momentum=0.5)
    keras.function([x], [layer(x)], updates=layer.get_updates_for(x))([np.full((4, 3), 2.0, "float32")])
    assert_close(layer.moving_mean.numpy(), np.ones(3))
    assert_close(layer.moving_variance.numpy(), np.full(3, 0.5))


def test_07_a_mask_goes_with_its_tensor() -> None:
    x = keras.Input((4, 3))
    y = layers.Dense(2)(layers.Masking()(x))
    (mask,) = keras.function([x], [y._keras_mask])([np.array([[[0] * 3, [1] * 3, [0] * 3, [2] * 3]], "float32")])
    np.testing.assert_array_equal(mask.astype(bool), [[False, True, False, True]])
    with pytest.raises(TypeError, match="mask"):
        layers.Conv3D(1, 1).compute_mask(y, y._keras_mask)


def test_08_the_configuration_is_the_network(unet: Any) -> None:
    copy = keras.Model.from_config(unet.get_config())
    copy.set_weights(unet.get_weights())
    np.testing.assert_array_equal(copy(volume()), unet(volume()))


def test_09_a_file_is_the_network(unet: Any, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    unet.save(tmp_path / "unet.keras")
    copy = keras.models.load_model(tmp_path / "unet.keras")
    np.testing.assert_array_equal(copy.predict(volume(), verbose=0), unet.predict(volume(), verbose=0))


def test_10_a_layer_of_one_s_own_needs_only_call() -> None:
    class Contrast(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return (inputs - ops.mean(inputs, axis=(1, 2, 3), keepdims=True)) ** 2

    x = keras.Input(SHAPE)
    layer = Contrast()
    model = keras.Model(x, layer(x) + 1.0)
    expected = (volume() - volume().mean(axis=(1, 2, 3), keepdims=True)) ** 2 + 1
    assert_close(model.predict(volume(), verbose=0), expected)
    assert_close(layer(volume()) + 1, expected)


def test_11_channels_first_is_a_transposition() -> None:
    first, last = layers.Conv3D(2, 3, data_format="channels_first"), layers.Conv3D(2, 3)
    x = volume(1, 2, 4, 4, 4)
    y = first(x)
    last(np.ascontiguousarray(np.moveaxis(x, 1, -1)))
    last.set_weights(first.get_weights())
    assert_close(y, np.moveaxis(last(np.moveaxis(x, 1, -1)), -1, 1))


def test_12_dropout_samples_when_it_trains(unet: Any) -> None:
    x = np.ones((1, 1000), "float32")
    layer = layers.Dropout(0.5)
    np.testing.assert_array_equal(layer(x), x)
    assert set(np.unique(layer(x, training=True))) == {0.0, 2.0}
    assert not np.array_equal(unet(volume(), training=True), unet(volume(), training=True))


def test_13_eager_mode_records_nothing() -> None:
    with keras.eager_mode():
        layer = layers.Dense(2)
        assert layer(volume(3, 4)).shape == (3, 2)
        with pytest.raises(RuntimeError):
            layer.input
    assert list(layer.inbound_nodes) == []


def test_14_wrong_inputs_are_refused_in_words(unet: Any) -> None:
    with pytest.raises(ValueError, match="ndim"):
        layers.Conv3D(2, 3)(keras.Input((4, 4, 1)))
    with pytest.raises(ValueError, match="axis"):
        unet.get_layer("coarse")(volume(1, 4, 4, 4, 9))
    here, missing = keras.Input((3,), name="here"), keras.Input((3,), name="missing")
    with pytest.raises(ValueError, match="missing"):
        keras.Model(here, layers.Add()([here, missing]))
    with pytest.raises(ValueError, match="head"):
        layers.Dense(2, name="head").set_weights([np.ones(3)])


def test_15_the_summary_and_a_copy_leave_the_network_as_it_is(unet: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = unet(volume())
    unet.summary()
    text = capsys.readouterr().out
    assert "(None, 6, 8, 8, 3)" in text
    assert "Connected to" in text
    copy = deepcopy(unet.get_layer("mask"))
    copy.set_weights([weight * 0 for weight in copy.get_weights()])
    np.testing.assert_array_equal(unet(volume()), before)
