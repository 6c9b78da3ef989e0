"""One table over all layers: each keeps the promises of `check_layer`, and refuses what it cannot do."""

from functools import partial
from typing import Any

import numpy as np
import pytest

import nb3d
from tests.layers.check import check_layer, volume

layers = nb3d.layers
VOLUME = (2, 5, 6, 7, 4)
SPATIAL = (1, 2, 3)
CONV = {"kernel": (3, 3, 3, 4, 2), "bias": (2,)}
NORM = {"gamma": (4,), "beta": (4,), "moving_mean": (4,), "moving_variance": (4,)}

# class, arguments, weights, what else check_layer wants to know
VOLUME_LAYERS: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (layers.Conv3D, {"filters": 2, "kernel_size": 3}, CONV),
    (layers.Conv3D, {"filters": 2, "kernel_size": 3, "padding": "same", "strides": (1, 2, 3)}, CONV),
    (layers.Conv3D, {"filters": 4, "kernel_size": 2, "groups": 2, "use_bias": False}, {"kernel": (2, 2, 2, 2, 4)}),
    (layers.Conv3D, {"filters": 2, "kernel_size": 3, "dilation_rate": (2, 1, 2), "activation": "elu"}, CONV),
    (layers.Conv3DTranspose, {"filters": 3, "kernel_size": 2, "strides": 2}, {"kernel": (2, 2, 2, 3, 4), "bias": (3,)}),
    (
        layers.Conv3DTranspose,
        {"filters": 1, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": (0, 1, 0)},
        {"kernel": (3, 3, 3, 1, 4), "bias": (1,)},
    ),
    (layers.MaxPooling3D, {}, {}),
    (layers.MaxPooling3D, {"pool_size": 3, "strides": (1, 2, 3), "padding": "same"}, {}),
    (layers.AveragePooling3D, {"pool_size": (1, 2, 3), "padding": "same"}, {}),
    (layers.GlobalMaxPooling3D, {}, {}),
    (layers.GlobalMaxPooling3D, {"keepdims": True}, {}),
    (layers.GlobalAveragePooling3D, {}, {}),
    (layers.GlobalAveragePooling3D, {"keepdims": True}, {}),
    (layers.UpSampling3D, {"size": (1, 2, 3)}, {}),
    (layers.ZeroPadding3D, {"padding": ((1, 0), (0, 2), (3, 1))}, {}),
    (layers.Cropping3D, {"cropping": ((1, 0), (0, 2), (3, 1))}, {}),
    (layers.SpatialDropout3D, {"rate": 0.5, "seed": 2}, {}),
    (layers.Flatten, {}, {}),
]

OTHER_LAYERS: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (layers.Activation, {"activation": "tanh"}, {}),
    (layers.ReLU, {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.5}, {}),
    (layers.LeakyReLU, {"alpha": 0.2}, {}),
    (layers.ELU, {"alpha": 2.0}, {}),
    (layers.PReLU, {"shared_axes": [1, 2, 3]}, {"alpha": (1, 1, 1, 4)}),
    (layers.Softmax, {"axis": [1, 2, 3]}, {}),
    (layers.Dropout, {"rate": 0.5, "noise_shape": (None, 1, 1, 1, 4)}, {}),
    (layers.Dense, {"units": 3, "activation": "relu"}, {"kernel": (4, 3), "bias": (3,)}),
    (layers.BatchNormalization, {}, NORM),
    (layers.BatchNormalization, {"center": False, "scale": False}, dict(list(NORM.items())[2:])),
    (layers.Masking, {"mask_value": 1.0}, {}),
    (layers.Rescaling, {"scale": [1.0, 2.0, 3.0, 4.0], "offset": -1}, {}),
    (layers.Permute, {"dims": (4, 1, 3, 2)}, {}),
]

FIXED_LAYERS: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (layers.PReLU, {}, {"alpha": (5, 6, 7, 4)}),
    (layers.BatchNormalization, {"axis": 2}, dict.fromkeys(NORM, (6,))),
    (layers.Reshape, {"target_shape": (7, -1)}, {}),
    (layers.Reshape, {"target_shape": [840]}, {}),
]

MERGING_LAYERS = [
    layers.Add,
    layers.Multiply,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
    layers.Concatenate,
]


def described(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else str(value).replace(" ", "") if value else "-"


@pytest.mark.parametrize(("cls", "kwargs", "weights"), VOLUME_LAYERS, ids=described)
def test_layers_with_a_data_format(cls: Any, kwargs: dict[str, Any], weights: dict[str, Any]) -> None:
    check_layer(partial(cls, **kwargs), VOLUME, weights=weights, free=SPATIAL, formats=True)


@pytest.mark.parametrize(("cls", "kwargs", "weights"), OTHER_LAYERS, ids=described)
def test_layers_without_a_data_format(cls: Any, kwargs: dict[str, Any], weights: dict[str, Any]) -> None:
    check_layer(partial(cls, **kwargs), VOLUME, weights=weights, free=SPATIAL)


@pytest.mark.parametrize(("cls", "kwargs", "weights"), FIXED_LAYERS, ids=described)
def test_layers_that_need_to_know_all_sizes(cls: Any, kwargs: dict[str, Any], weights: dict[str, Any]) -> None:
    check_layer(partial(cls, **kwargs), VOLUME, weights=weights)


@pytest.mark.parametrize("cls", MERGING_LAYERS, ids=described)
def test_layers_that_merge(cls: Any) -> None:
    check_layer(cls, VOLUME, VOLUME, VOLUME, free=SPATIAL)


@pytest.mark.parametrize("cls", MERGING_LAYERS[:-1], ids=described)
def test_merging_broadcasts(cls: Any) -> None:
    check_layer(cls, VOLUME, (2, 1, 6, 1, 4))
    check_layer(cls, (2, 7, 4), VOLUME)


def test_a_list_of_one_may_be_merged() -> None:
    x = volume(VOLUME)
    np.testing.assert_array_equal(layers.Add()([x]), x)


def test_the_difference_of_two_inputs() -> None:
    check_layer(layers.Subtract, VOLUME, VOLUME, free=SPATIAL)


def test_concatenation_along_another_axis() -> None:
    check_layer(partial(layers.Concatenate, axis=2), VOLUME, (2, 5, 3, 7, 4), free=(1, 3))


@pytest.mark.parametrize("shape", [(3, 4), (3, 5, 4)], ids=str)
@pytest.mark.parametrize(
    ("cls", "kwargs", "weights"),
    [
        (layers.Dense, {"units": 2}, {"kernel": (4, 2), "bias": (2,)}),
        (layers.BatchNormalization, {}, NORM),
        (layers.Flatten, {}, {}),
        (layers.Softmax, {}, {}),
    ],
    ids=described,
)
def test_layers_of_any_rank(cls: Any, kwargs: dict[str, Any], weights: dict[str, Any], shape: tuple[int, ...]) -> None:
    check_layer(partial(cls, **kwargs), shape, weights=weights)


@pytest.mark.parametrize(
    ("name", "merged"), [(cls.__name__.lower(), cls) for cls in [*MERGING_LAYERS, layers.Subtract]], ids=described
)
def test_merging_layers_have_functional_forms(name: str, merged: Any) -> None:
    a, b = volume(VOLUME, 1), volume(VOLUME, 2)
    function = getattr(layers, name)
    np.testing.assert_array_equal(function([a, b]), merged()([a, b]))
    tensor = function([nb3d.Input(VOLUME[1:]), nb3d.Input(VOLUME[1:])], name="merged")
    assert isinstance(tensor._keras_history[0], merged)
    assert tensor._keras_history[0].name == "merged"


def test_the_functional_concatenation_takes_an_axis() -> None:
    assert layers.concatenate([volume(VOLUME), volume(VOLUME)], axis=1).shape == (2, 10, 6, 7, 4)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("Convolution3D", "Conv3D"),
        ("Convolution3DTranspose", "Conv3DTranspose"),
        ("Deconvolution3D", "Conv3DTranspose"),
        ("MaxPool3D", "MaxPooling3D"),
        ("AvgPool3D", "AveragePooling3D"),
        ("GlobalMaxPool3D", "GlobalMaxPooling3D"),
        ("GlobalAvgPool3D", "GlobalAveragePooling3D"),
    ],
)
def test_an_alias_is_the_same_class_and_may_stand_in_files(alias: str, name: str) -> None:
    cls = getattr(layers, name)
    assert getattr(layers, alias) is cls
    config = cls(**({"filters": 1, "kernel_size": 1} if "Conv" in name else {})).get_config()
    assert type(layers.deserialize({"class_name": alias, "config": config})) is cls


@pytest.mark.parametrize(
    "activation",
    [layers.LeakyReLU(0.3, name="f"), {"class_name": "LeakyReLU", "config": {"negative_slope": 0.3, "name": "f"}}],
    ids=["layer", "config"],
)
def test_a_layer_may_be_the_activation_of_another(activation: Any) -> None:
    layer = layers.Conv3D(2, 1, activation=activation, kernel_initializer="he_normal")
    x = volume(VOLUME)
    plain = layers.Conv3D(2, 1)
    plain.build(x.shape)
    layer.build(x.shape)
    plain.set_weights(layer.get_weights())
    expected = plain(x)
    np.testing.assert_allclose(layer(x), np.where(expected > 0, expected, 0.3 * expected), rtol=1e-6)
    assert layer.compute_output_shape(VOLUME) == (*VOLUME[:-1], 2)
    copy = layers.deserialize(layers.serialize(layer))
    assert isinstance(copy.activation, layers.LeakyReLU)
    assert copy.activation.negative_slope == 0.3


def test_the_weights_of_a_layer_that_is_an_activation_belong_to_the_whole() -> None:
    layer = layers.Dense(3, activation=layers.PReLU(alpha_initializer="ones"))
    assert layer(nb3d.Input((2,))).shape == (None, 3)
    assert [weight.shape for weight in layer.weights] == [(2, 3), (3,), (3,)]


def test_the_activation_of_a_channels_first_convolution_sees_channels_first() -> None:
    layer = layers.Conv3D(2, 1, data_format="channels_first", activation="softmax")
    np.testing.assert_allclose(layer(volume((1, 4, 5, 6, 7))).sum(axis=-1), np.ones((1, 2, 5, 6)), rtol=1e-5)


# ---- what is refused, and when


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: layers.Conv3DTranspose(2, 3, strides=2, output_padding=2), "output_padding"),
        (lambda: layers.Conv3DTranspose(2, 3, strides=2, output_padding=-1), "output_padding"),
        (lambda: layers.Conv3DTranspose(2, 3, strides=2, dilation_rate=2), "dilation_rate"),
        (lambda: layers.Conv3D(2, 3, groups=0), "groups"),
        (lambda: layers.Conv3D(3, 3, groups=2), "groups"),
        (lambda: layers.Conv3D(2, 3, padding="causal"), "padding"),
        (lambda: layers.Conv3D(float("nan"), 3), "filters"),
        (lambda: layers.MaxPooling3D(0), "pool_size"),
        (lambda: layers.MaxPooling3D((2, 2)), "pool_size"),
        (lambda: layers.MaxPooling3D(2, strides=float("nan")), "strides"),
        (lambda: layers.AveragePooling3D(2, padding="full"), "padding"),
        (lambda: layers.AveragePooling3D(2, data_format="first"), "data_format"),
        (lambda: layers.GlobalMaxPooling3D(data_format=3), "data_format"),
        (lambda: layers.UpSampling3D(0), "size"),
        (lambda: layers.UpSampling3D(1.5), "size"),
        (lambda: layers.ZeroPadding3D(-1), "padding"),
        (lambda: layers.ZeroPadding3D(((1, 2), (3, 4))), "padding"),
        (lambda: layers.ZeroPadding3D(((1, 2), (3, 4), (5, 1.5))), "padding"),
        (lambda: layers.ZeroPadding3D("one"), "padding"),
        (lambda: layers.Cropping3D(((1, 2), (3, 4), (5, 6, 7))), "cropping"),
        (lambda: layers.BatchNormalization(axis=1.5), "axis"),
        (lambda: layers.BatchNormalization(axis=[1, 2]), "axis"),
        (lambda: layers.BatchNormalization(epsilon=-1), "epsilon"),
        (lambda: layers.BatchNormalization(momentum="much"), "momentum"),
        (lambda: layers.BatchNormalization(renorm=True), "renorm"),
        (lambda: layers.BatchNormalization(gamma_initializer=None), "gamma_initializer"),
        (lambda: layers.Activation("no such name"), "no such name"),
        (lambda: layers.Activation(3), "activation"),
        (lambda: layers.ReLU(max_value=-1), "max_value"),
        (lambda: layers.ReLU(negative_slope=None), "negative_slope"),
        (lambda: layers.ReLU(threshold=float("nan")), "threshold"),
        (lambda: layers.LeakyReLU(-0.1), "negative_slope"),
        (lambda: layers.ELU("steep"), "alpha"),
        (lambda: layers.PReLU(shared_axes=[0]), "shared_axes"),
        (lambda: layers.Softmax(axis=0.5), "axis"),
        (lambda: layers.Dropout(2), "rate"),
        (lambda: layers.Dropout(0.5, noise_shape=3), "noise_shape"),
        (lambda: layers.Dropout(0.5, noise_shape=(None, 0)), "noise_shape"),
        (lambda: layers.Dropout(0.5, seed="abc"), "seed"),
        (lambda: layers.Dense(0), "units"),
        (lambda: layers.Dense(2.5), "units"),
        (lambda: layers.Dense(True), "units"),
        (lambda: layers.Flatten(data_format="wide"), "data_format"),
        (lambda: layers.Reshape((-1, -1)), "target_shape"),
        (lambda: layers.Reshape((2, -3)), "target_shape"),
        (lambda: layers.Reshape(7), "target_shape"),
        (lambda: layers.Permute((0, 1)), "dims"),
        (lambda: layers.Permute((1, 3)), "dims"),
        (lambda: layers.Concatenate(axis="last"), "axis"),
        (lambda: layers.Rescaling("much"), "scale"),
        (lambda: layers.Masking("none"), "mask_value"),
        (lambda: layers.Lambda("x + 1"), "function"),
    ],
)
def test_a_wrong_argument_is_named_when_the_layer_is_made(make: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        make()


@pytest.mark.parametrize("cls", [layers.MaxPooling3D, layers.Flatten, layers.Add, layers.BatchNormalization])
def test_an_unknown_keyword_is_a_type_error(cls: Any) -> None:
    with pytest.raises(TypeError, match="colour"):
        cls(colour="red")


@pytest.mark.parametrize(
    ("layer", "shapes", "word"),
    [
        (layers.Conv3D(2, 3, name="a"), [(4, 4, 4)], "ndim"),
        (layers.Conv3D(2, 3, name="a"), [(4, 4, 4, None)], "channel"),
        (layers.Conv3D(2, 3, groups=2, name="a"), [(4, 4, 4, 3)], "groups"),
        (layers.Conv3D(2, 3, name="a"), [(4, 2, 4, 1)], "height"),
        (layers.Conv3DTranspose(2, 3, name="a"), [(4, 4, 4, None)], "channel"),
        (layers.MaxPooling3D(name="a"), [(4, 4, 1, 1)], "width"),
        (layers.MaxPooling3D(name="a"), [(4, 4)], "ndim"),
        (layers.GlobalMaxPooling3D(name="a"), [(4, 4)], "ndim"),
        (layers.Cropping3D(2, name="a"), [(5, 4, 5, 1)], "height"),
        (layers.UpSampling3D(name="a"), [(5, 4)], "ndim"),
        (layers.BatchNormalization(name="a"), [(4, None)], "axis"),
        (layers.BatchNormalization(axis=4, name="a"), [(4, 4)], "axis"),
        (layers.PReLU(name="a"), [(None, 4)], "shared_axes"),
        (layers.PReLU(shared_axes=[1, 3], name="a"), [(4, 4)], "shared_axes"),
        (layers.Dense(2, name="a"), [(None,)], "last"),
        (layers.Dense(2, name="a"), [()], "ndim"),
        (layers.Reshape((3, 5), name="a"), [(4, 4)], "shape"),
        (layers.Permute((2, 1), name="a"), [(4, 4, 4)], "ndim"),
        (layers.Softmax(axis=3, name="a"), [(4,)], "axis"),
        (layers.Add(name="a"), [(4, 3), (4, 2)], "broadcast"),
        (layers.Subtract(name="a"), [(4,), (4,), (4,)], "2 inputs"),
        (layers.Add(name="a"), [(4, 3)], "list"),
        (layers.Concatenate(name="a"), [(4, 3)], "list"),
        (layers.Concatenate(name="a"), [(4, 3), (5, 3)], "axis"),
        (layers.Concatenate(name="a"), [(4, 3), (3,)], "rank"),
        (layers.SpatialDropout3D(0.5, name="a"), [(4, 3)], "ndim"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_the_layer_s_name(
    layer: Any, shapes: list[tuple[int | None, ...]], word: str
) -> None:
    symbols = [nb3d.Input(shape) for shape in shapes]
    with pytest.raises(ValueError, match=word) as refusal:
        layer(symbols if len(symbols) > 1 else symbols[0])
    assert "'a'" in str(refusal.value)


def test_batches_of_different_sizes_are_not_merged() -> None:
    with pytest.raises(ValueError, match="batch"):
        layers.Add()([volume((2, 3)), volume((1, 3))])


# ---- masks


@pytest.mark.parametrize("cls", MERGING_LAYERS[:-1], ids=described)
def test_the_mask_of_a_merge_is_true_where_one_is_and_absent_without_all(cls: Any) -> None:
    a, b = nb3d.Input((4, 3)), nb3d.Input((4, 3))
    first, second = layers.Masking()(a), layers.Masking()(b)
    assert cls()([first, b])._keras_mask is None
    mask = cls()([first, second])._keras_mask
    x, y = np.zeros((1, 4, 3), "float32"), np.zeros((1, 4, 3), "float32")
    x[0, 0], y[0, 1] = 1.0, 1.0
    assert nb3d.function([a, b], [mask])([x, y])[0].tolist() == [[True, True, False, False]]


def test_the_mask_of_a_concatenation_is_true_for_an_input_without() -> None:
    a, b = nb3d.Input((2, 3)), nb3d.Input((2, 3))
    merged = layers.Concatenate(axis=1)([layers.Masking()(a), b])
    zeros = np.zeros((1, 2, 3), "float32")
    assert nb3d.function([a, b], [merged._keras_mask])([zeros, zeros])[0].tolist() == [[False, False, True, True]]
    assert layers.Concatenate()([a, b])._keras_mask is None


def test_softmax_gives_nothing_to_what_is_masked() -> None:
    layer = layers.Softmax()
    x, mask = np.ones((2, 4), "float32"), np.array([[True, True, False, False], [False] * 4])
    np.testing.assert_allclose(layer(x, mask=mask), [[0.5, 0.5, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize(
    "make",
    [layers.MaxPooling3D, layers.UpSampling3D, layers.ZeroPadding3D, layers.Flatten],
    ids=described,
)
def test_a_mask_ends_at_layers_that_move_voxels(make: Any) -> None:
    with pytest.warns(UserWarning, match="does not support masking"):
        y = make()(layers.Masking()(nb3d.Input((4, 4, 4, 1))))
    assert y._keras_mask is None


@pytest.mark.parametrize("following", [layers.Conv1D(3, 2), layers.Flatten(), layers.RMSNormalization()], ids=described)
def test_what_an_embedding_masks_is_computed_like_the_rest(following: Any) -> None:
    x = nb3d.Input((4,), dtype="int32")
    embedding = layers.Embedding(6, 5, mask_zero=True)
    with pytest.warns(UserWarning, match="does not support masking"):
        model = nb3d.Model(x, following(embedding(x)))
    tokens = np.array([[1, 2, 0, 0], [0, 5, 0, 3]], "int32")
    np.testing.assert_allclose(model.predict(tokens, verbose=0), following(embedding(tokens)), rtol=1e-5, atol=1e-6)
