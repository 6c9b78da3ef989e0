"""Normalizations with statistics of the values themselves, `Normalization`, and linear upsampling."""

from functools import partial
from typing import Any

import numpy as np
import pytest

import nb3d
from tests.layers.check import check_layer, volume

layers = nb3d.layers
VOLUME = (2, 5, 6, 7, 4)
SPATIAL = (1, 2, 3)
WEIGHTS = {"gamma": (4,), "beta": (4,)}
ONE = {"gamma": (1,), "beta": (1,)}

# class, arguments, weights
OF_CHANNELS: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (layers.LayerNormalization, {"epsilon": 0.1}, WEIGHTS),
    (layers.LayerNormalization, {"rms_scaling": True}, {"gamma": (4,)}),
    (layers.RMSNormalization, {}, {"scale": (4,)}),
    (layers.UnitNormalization, {"axis": [1, 3]}, {}),
    (layers.GroupNormalization, {"groups": 2, "scale": False}, {"beta": (4,)}),
    (layers.GroupNormalization, {"groups": -1, "center": False}, {"gamma": (4,)}),
    (layers.InstanceNormalization, {"axis": -1}, WEIGHTS),
    (layers.InstanceNormalization, {}, ONE),
    (layers.Normalization, {}, {"mean": (4,), "variance": (4,), "count": ()}),
    (layers.Normalization, {"mean": 1.0, "variance": 2.0, "axis": None, "invert": True}, {}),
]
OF_OTHER_AXES: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (layers.LayerNormalization, {"axis": [1, 3]}, dict.fromkeys(WEIGHTS, (5, 7))),
    (layers.LayerNormalization, {"axis": [1, -1]}, dict.fromkeys(WEIGHTS, (4, 5))),
    (layers.RMSNormalization, {"axis": (2, 3, 4)}, {"scale": (6, 7, 4)}),
    (layers.RMSNormalization, {"axis": 1}, {"scale": (5,)}),
    (layers.GroupNormalization, {"groups": 5, "axis": 1}, dict.fromkeys(WEIGHTS, (5,))),
    (layers.InstanceNormalization, {"axis": 2}, dict.fromkeys(WEIGHTS, (6,))),
    (layers.Normalization, {"axis": (1, 2)}, {"mean": (5, 6), "variance": (5, 6), "count": ()}),
]
OF_VECTORS: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (layers.LayerNormalization, {}, WEIGHTS),
    (layers.GroupNormalization, {"groups": 2}, WEIGHTS),
    (layers.InstanceNormalization, {}, ONE),
    (layers.UnitNormalization, {}, {}),
]


def described(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else str(value).replace(" ", "")


@pytest.mark.parametrize(("cls", "kwargs", "weights"), OF_CHANNELS, ids=described)
def test_normalizations_of_channels(cls: Any, kwargs: dict[str, Any], weights: dict[str, Any]) -> None:
    check_layer(partial(cls, **kwargs), VOLUME, weights=weights, free=SPATIAL)


@pytest.mark.parametrize(("cls", "kwargs", "weights"), OF_OTHER_AXES, ids=described)
def test_normalizations_that_need_to_know_all_sizes(cls: Any, kwargs: dict[str, Any], weights: dict[str, Any]) -> None:
    check_layer(partial(cls, **kwargs), VOLUME, weights=weights)


@pytest.mark.parametrize(("cls", "kwargs", "weights"), OF_VECTORS, ids=described)
def test_normalizations_of_vectors(cls: Any, kwargs: dict[str, Any], weights: dict[str, Any]) -> None:
    check_layer(partial(cls, **kwargs), (3, 4), weights=weights)


def moved(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


# ---- what they compute


@pytest.mark.parametrize("first", [False, True])
def test_instance_normalization_adds_epsilon_to_the_deviation(first: bool) -> None:
    x, epsilon = volume(VOLUME), 0.25
    layer = layers.InstanceNormalization(axis=1 if first else -1, epsilon=epsilon)
    value = layer(moved(x) if first else x)
    mean, deviation = x.mean(SPATIAL, keepdims=True), x.std(SPATIAL, keepdims=True)
    expected = (x - mean) / (deviation + epsilon)
    np.testing.assert_allclose(value, moved(expected) if first else expected, rtol=1e-5, atol=1e-6)


def test_instance_normalization_without_an_axis_is_of_whole_samples() -> None:
    x = volume(VOLUME)
    layer = layers.InstanceNormalization()
    layer(x)
    layer.set_weights([np.array([3.0]), np.array([-1.0])])
    mean, deviation = x.mean((1, 2, 3, 4), keepdims=True), x.std((1, 2, 3, 4), keepdims=True)
    np.testing.assert_allclose(layer(x), 3 * (x - mean) / (deviation + 1e-3) - 1, rtol=1e-5, atol=1e-5)


def test_a_large_mean_hides_nothing() -> None:
    x = volume((1, 9, 8, 7, 4)).astype("float64")
    layer = layers.GroupNormalization(groups=2, dtype="float64")
    np.testing.assert_allclose(layer(x + 1e6), layer(x), atol=1e-8)


def test_normalization_adapts_to_data() -> None:
    data = volume(VOLUME) * np.array([1.0, 2.0, 3.0, 0.0], "float32") + 5.0
    layer = layers.Normalization()
    layer.adapt(data)
    mean, deviation = data.mean((0, 1, 2, 3)), data.std((0, 1, 2, 3))
    np.testing.assert_allclose(layer.get_weights()[0], mean, rtol=1e-5)
    expected = np.where(deviation > 0, (data - mean) / np.maximum(deviation, 1e-7), 0.0)
    x = nb3d.Input(VOLUME[1:])
    (planned,) = nb3d.function([x], [layer(x)])([data])
    np.testing.assert_allclose(planned, expected, rtol=1e-4, atol=1e-4)
    undo = layers.Normalization(mean=mean, variance=deviation**2, invert=True)
    np.testing.assert_allclose(undo(planned), data, rtol=1e-4, atol=1e-4)


def test_normalization_takes_integers() -> None:
    value = layers.Normalization(mean=2.0, variance=4.0, axis=None)(np.array([[0, 4]], "uint8"))
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, [[-1.0, 1.0]])


def test_normalization_says_why_it_cannot_adapt() -> None:
    with pytest.raises(TypeError, match=r"'a'.*list"):
        layers.Normalization(name="a").adapt([[1.0]])
    with pytest.raises(ValueError, match=r"'a'.*given"):
        layers.Normalization(mean=0.0, variance=1.0, name="a").adapt(np.ones((2, 2)))
    layer = layers.Normalization(name="a")
    layer.adapt(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"'a'"):
        layer.adapt(np.ones((2, 4)))


@pytest.mark.parametrize(
    "layer",
    [layers.LayerNormalization(), layers.GroupNormalization(2), layers.InstanceNormalization(), layers.Normalization(),
     layers.UnitNormalization()],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_a_mask_passes(layer: Any) -> None:
    masked = layers.Masking()(nb3d.Input((3, 4)))
    assert layer(masked)._keras_mask is masked._keras_mask


def test_a_mask_ends_at_rms_normalization_as_in_keras() -> None:
    with pytest.warns(UserWarning, match="does not support masking"):
        y = layers.RMSNormalization()(layers.Masking()(nb3d.Input((3, 4))))
    assert y._keras_mask is None


# ---- files


@pytest.mark.parametrize("groups", [{"groups": 4}, {"groups": -1}, {}], ids=str)
def test_instance_normalization_of_tensorflow_addons_is_read_as_group_normalization(groups: dict[str, int]) -> None:
    config = {"name": "n", "axis": -1, "epsilon": 1e-5, "center": True, "scale": True, **groups}
    layer = layers.deserialize({"class_name": "Addons>InstanceNormalization", "config": config})
    x = volume(VOLUME)
    assert type(layer) is layers.GroupNormalization
    np.testing.assert_array_equal(layer(x), layers.GroupNormalization(groups=-1, epsilon=1e-5)(x))


def test_group_normalization_of_tensorflow_addons_is_read() -> None:
    layer = layers.deserialize({"class_name": "Addons>GroupNormalization", "config": {"groups": 2, "axis": 1}})
    assert (type(layer), layer.groups, layer.axis) == (layers.GroupNormalization, 2, 1)


def test_instance_normalization_of_keras_contrib_is_read() -> None:
    config = {"name": "n", "axis": 1, "epsilon": 0.001, "center": True, "scale": True, "gamma_regularizer": None}
    layer = layers.deserialize({"class_name": "InstanceNormalization", "config": config})
    assert (type(layer), layer.axis) == (layers.InstanceNormalization, 1)


def test_the_interpolation_stands_in_a_configuration_only_where_keras_could_not_read_the_layer_anyway() -> None:
    assert "interpolation" not in layers.UpSampling3D(2).get_config()
    assert layers.UpSampling3D(2, interpolation="trilinear").get_config()["interpolation"] == "linear"


# ---- linear upsampling


def test_linear_upsampling() -> None:
    check_layer(partial(layers.UpSampling3D, size=(1, 2, 3), interpolation="bilinear"), VOLUME, formats=True)


def test_linear_upsampling_of_integers_gives_floats() -> None:
    x = np.array([0, 4], "int32").reshape(1, 2, 1, 1, 1)
    value = nb3d.ops.upsample(x, (2, 1, 1), interpolation="linear")
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value.ravel(), [0, 1, 3, 4])


# ---- what is refused, and when


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: layers.LayerNormalization(axis="last"), "axis"),
        (lambda: layers.LayerNormalization(epsilon=-1), "epsilon"),
        (lambda: layers.LayerNormalization(gamma_initializer=None), "gamma_initializer"),
        (lambda: layers.RMSNormalization(axis=[1.5]), "axis"),
        (lambda: layers.UnitNormalization(axis=None), "axis"),
        (lambda: layers.GroupNormalization(groups=0), "groups"),
        (lambda: layers.GroupNormalization(groups=2.5), "groups"),
        (lambda: layers.GroupNormalization(axis=[1, 2]), "axis"),
        (lambda: layers.InstanceNormalization(axis=0), "axis"),
        (lambda: layers.Normalization(mean=1.0), "variance"),
        (lambda: layers.Normalization(mean=[1.0], variance=[1.0, 2.0]), "shape"),
        (lambda: layers.Normalization(mean=[[1.0]], variance=[[1.0]]), "axes"),
        (lambda: layers.Normalization(mean="much", variance=1), "mean"),
        (lambda: layers.UpSampling3D(interpolation="bicubic"), "interpolation"),
        (lambda: nb3d.ops.group_normalization(np.ones((2, 4)), 3), "groups"),
        (lambda: nb3d.ops.group_normalization(np.ones((2, 4)), 2, scale=np.ones(3)), "scale"),
        (lambda: nb3d.ops.layer_normalization(np.ones((2, 4)), np.ones(2)), "scale"),
        (lambda: nb3d.ops.layer_normalization(np.ones((2, 4)), axis=[]), "axis"),
        (lambda: nb3d.ops.upsample(np.ones((1, 1, 1, 1, 1)), interpolation="cubic"), "interpolation"),
    ],
)
def test_a_wrong_argument_is_named(make: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "word"),
    [
        (layers.LayerNormalization(axis=[1, 2], name="a"), (4, None), "axis"),
        (layers.LayerNormalization(axis=3, name="a"), (4, 4), "axis"),
        (layers.RMSNormalization(name="a"), (4, None), "axis"),
        (layers.UnitNormalization(axis=3, name="a"), (4, 4), "axis"),
        (layers.GroupNormalization(groups=3, name="a"), (4, 4), "groups"),
        (layers.GroupNormalization(name="a"), (4, None), "axis"),
        (layers.InstanceNormalization(name="a"), (4, None), "axis"),
        (layers.Normalization(name="a"), (4, None), "axis"),
        (layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0], name="a"), (4, 3), "mean"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_the_layer_s_name(layer: Any, shape: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word) as refusal:
        layer(nb3d.Input(shape))
    assert "'a'" in str(refusal.value)


def test_the_axis_of_the_samples_cannot_be_that_of_the_channels() -> None:
    with pytest.raises(ValueError, match=r"'a'.*axis"):
        layers.GroupNormalization(groups=1, axis=0, name="a")(nb3d.Input(batch_shape=(4, 4)))
