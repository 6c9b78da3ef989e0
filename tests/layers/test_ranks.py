"""Layers of sequences and images, and what stands around volumes: each keeps the promises of `check_layer`."""

from functools import partial
from typing import Any

import numpy as np
import pytest

import nb3d
from tests.layers.check import check_layer, volume
from tests.layers.test_layers import described

layers = nb3d.layers
SHAPES = {1: (2, 9, 4), 2: (2, 6, 7, 4), 3: (2, 5, 6, 7, 4)}

# class without its rank, arguments, weights; "k" stands for the sizes of the kernel
OF_EVERY_RANK: list[tuple[str, dict[str, Any], Any]] = [
    ("Conv{}D", {"filters": 2, "kernel_size": 3}, {"kernel": ("k", 4, 2), "bias": (2,)}),
    (
        "Conv{}D",
        {"filters": 4, "kernel_size": 3, "groups": 2, "padding": "same", "strides": 2, "use_bias": False},
        {"kernel": ("k", 2, 4)},
    ),
    (
        "Conv{}DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1, "activation": "elu"},
        {"kernel": ("k", 2, 4), "bias": (2,)},
    ),
    (
        "DepthwiseConv{}D",
        {"kernel_size": 3, "depth_multiplier": 2, "dilation_rate": 2, "padding": "same"},
        {"kernel": ("k", 4, 2), "bias": (8,)},
    ),
    (
        "SeparableConv{}D",
        {"filters": 3, "kernel_size": 3, "depth_multiplier": 2, "activation": "relu"},
        {"depthwise_kernel": ("k", 4, 2), "pointwise_kernel": ("1", 8, 3), "bias": (3,)},
    ),
    ("MaxPooling{}D", {}, None),
    ("AveragePooling{}D", {"pool_size": 3, "strides": 2, "padding": "same"}, None),
    ("GlobalMaxPooling{}D", {"keepdims": True}, None),
    ("GlobalAveragePooling{}D", {}, None),
    ("AdaptiveMaxPooling{}D", {"output_size": 3}, None),
    ("AdaptiveAveragePooling{}D", {"output_size": 2}, None),
    ("ZeroPadding{}D", {"padding": 2}, None),
]
OF_TWO_AND_MORE: list[tuple[str, dict[str, Any], Any]] = [
    ("UpSampling{}D", {"size": 2}, None),
    ("UpSampling{}D", {"size": 3, "interpolation": "bilinear"}, None),
    ("Cropping{}D", {"cropping": 1}, None),
    ("SpatialDropout{}D", {"rate": 0.5}, None),
]


def sizes(shape: tuple[Any, ...], kernel: int, rank: int) -> tuple[int, ...]:
    """A shape with `rank` sizes for ``"k"``, a kernel's, and for ``"1"``."""
    spans = {"k": (kernel,) * rank, "1": (1,) * rank}
    return tuple(size for item in shape for size in spans.get(item, (item,)))


def check_rank(name: str, kwargs: dict[str, Any], weights: Any, rank: int) -> None:
    make = partial(getattr(layers, name.format(rank)), **kwargs)
    wanted = weights and {key: sizes(shape, kwargs["kernel_size"], rank) for key, shape in weights.items()}
    check_layer(make, SHAPES[rank], weights=wanted, free=range(1, rank + 1), formats=True)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("name", "kwargs", "weights"), OF_EVERY_RANK, ids=described)
def test_layers_of_one_to_three_spatial_axes(name: str, kwargs: dict[str, Any], weights: Any, rank: int) -> None:
    check_rank(name, kwargs, weights, rank)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize(("name", "kwargs", "weights"), OF_TWO_AND_MORE, ids=described)
def test_layers_of_two_and_three_spatial_axes(name: str, kwargs: dict[str, Any], weights: Any, rank: int) -> None:
    check_rank(name, kwargs, weights, rank)


@pytest.mark.parametrize(
    ("layer", "shapes", "weights"),
    [
        (
            partial(layers.Conv1D, filters=2, kernel_size=3, padding="causal"),
            [(2, 9, 4)],
            {"kernel": (3, 4, 2), "bias": (2,)},
        ),
        (partial(layers.UpSampling1D, size=3), [(2, 9, 4)], {}),
        (partial(layers.Cropping1D, cropping=(1, 2)), [(2, 9, 4)], {}),
        (partial(layers.SpatialDropout1D, rate=0.5), [(2, 9, 4)], {}),
        (layers.Identity, [(2, 9, 4)], {}),
        (partial(layers.ActivityRegularization, l1=0.1, l2=0.2), [(2, 9, 4)], {}),
        (partial(layers.AlphaDropout, rate=0.5, noise_shape=(None, 1, 4)), [(2, 9, 4)], {}),
        (partial(layers.GaussianDropout, rate=0.5, seed=3), [(2, 9, 4)], {}),
        (partial(layers.GaussianNoise, stddev=0.5), [(2, 9, 4)], {}),
        (partial(layers.RepeatVector, n=3), [(5, 4)], {}),
        (partial(layers.Dot, axes=(1, 2), normalize=True), [(2, 4, 5), (2, 3, 4)], {}),
        (partial(layers.Dot, axes=1), [(2, 4), (2, 4)], {}),
        (partial(layers.Dense, units=3), [(2, 3, 2, 2, 2, 4)], {"kernel": (4, 3), "bias": (3,)}),
        (
            partial(layers.EinsumDense, equation="abc,cde->abde", output_shape=(None, 2, 3), bias_axes="e"),
            [(2, 9, 4)],
            {"kernel": (4, 2, 3), "bias": (3,)},
        ),
        (layers.Attention, [(2, 5, 4), (2, 7, 4)], {}),
        (
            partial(layers.Attention, use_scale=True, score_mode="concat"),
            [(2, 5, 4), (2, 7, 3), (2, 7, 4)],
            {"scale": (), "concat_score_weight": ()},
        ),
        (layers.AdditiveAttention, [(2, 5, 4), (2, 7, 4)], {"scale": (4,)}),
    ],
    ids=lambda value: getattr(getattr(value, "func", value), "__name__", ""),
)
def test_layers_around_volumes(layer: Any, shapes: Any, weights: Any) -> None:
    check_layer(layer, *shapes, weights=weights)


@pytest.mark.parametrize(
    "inner",
    [
        partial(layers.Conv2D, 3, 2, activation="relu"),
        layers.BatchNormalization,
        partial(layers.MaxPooling2D, data_format="channels_first"),
    ],
)
def test_a_layer_is_applied_to_every_step_of_time(inner: Any) -> None:
    layer, x = layers.TimeDistributed(inner(name="inner"), name="layer"), volume((2, 3, 5, 6, 4))
    got = layer(x)
    np.testing.assert_allclose(got, np.stack([layer.layer(x[:, t]) for t in range(3)], axis=1), rtol=1e-5, atol=1e-6)
    copy = layers.deserialize(layers.serialize(layer))
    copy(x)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(x), got)


def test_time_may_be_of_any_length() -> None:
    x = nb3d.Input((None, 6, 6, 1))
    run = nb3d.function([x], [layers.TimeDistributed(layers.Conv2D(2, 3))(x)])
    assert [run([volume((2, length, 6, 6, 1))])[0].shape for length in (1, 4)] == [(2, 1, 4, 4, 2), (2, 4, 4, 4, 2)]


def test_time_of_unknown_length_cannot_be_trained() -> None:
    with pytest.raises(ValueError, match="axis 1"):
        layers.TimeDistributed(layers.BatchNormalization())(nb3d.Input((None, 4)), training=True)


@pytest.mark.parametrize("cls", [layers.MultiHeadAttention, layers.GroupQueryAttention])
def test_attention_with_projections_comes_back_from_its_configuration(cls: Any) -> None:
    kwargs = {"num_heads": 2, "key_dim": 3} if cls is layers.MultiHeadAttention else {
        "head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2
    }  # fmt: skip
    layer = cls(**kwargs, use_gate=True, sliding_window=3, name="layer")
    x, y = volume((2, 5, 4)), volume((2, 7, 6), 1)
    query, value = nb3d.Input((None, 4)), nb3d.Input((None, 6))
    output = layer(query, value)
    assert output.shape == (None, None, 4)
    assert layer.compute_output_shape((2, 5, 4), (2, 7, 6)) == (2, 5, 4)
    (planned,) = nb3d.function([query, value], [output])([x, y])
    np.testing.assert_allclose(planned, layer(x, y), rtol=1e-5, atol=1e-6)
    copy = layers.deserialize(layers.serialize(layer))
    copy(x, y)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(x, y), layer(x, y))
    assert len(layer.weights) == 10  # kernel and bias of query, key, gate, value and result


def test_attention_takes_the_masks_of_its_inputs() -> None:
    x = nb3d.Input((4, 3))
    layer = layers.MultiHeadAttention(1, 3)
    masked = layers.Masking()(x)
    output = layer(masked, masked)
    assert output._keras_mask is masked._keras_mask
    values = volume((1, 4, 3))
    values[:, 2:] = 0.0
    (got,) = nb3d.function([x], [output])([values])
    short = layer(values[:, :2], values[:, :2])
    np.testing.assert_allclose(got[:, :2], short, rtol=1e-5, atol=1e-6)


# ---- training


def test_noise_has_the_deviation_that_was_asked_for() -> None:
    x = np.full((40, 50, 50), 2.0, "float32")
    noisy = layers.GaussianNoise(0.25, seed=1)(x, training=True)
    assert noisy.std() == pytest.approx(0.25, rel=0.02)
    assert noisy.mean() == pytest.approx(2.0, rel=0.01)
    scaled = layers.GaussianDropout(0.2, seed=1)(x, training=True)
    assert scaled.std() == pytest.approx(1.0, rel=0.02)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = np.random.default_rng(0).standard_normal((100, 1000)).astype("float32")
    y = layers.AlphaDropout(0.3, seed=1)(x, training=True)
    assert y.mean() == pytest.approx(0.0, abs=0.02)
    assert y.std() == pytest.approx(1.0, abs=0.02)
    assert len(np.unique(y)) < 0.8 * y.size


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (layers.SpatialDropout1D(0.5, seed=2), (8, 5, 6), 1),
        (layers.SpatialDropout2D(0.5, seed=2), (8, 5, 5, 6), (1, 2)),
        (layers.SpatialDropout2D(0.5, "channels_first", seed=2), (8, 6, 5, 5), (2, 3)),
        (layers.SpatialDropout3D(0.5, seed=2), (8, 3, 3, 3, 6), (1, 2, 3)),
    ],
    ids=described,
)
def test_spatial_dropout_drops_whole_channels(layer: Any, shape: Any, axes: Any) -> None:
    y = layer(np.ones(shape, "float32"), training=True)
    assert set(np.unique(y)) == {0.0, 2.0}
    np.testing.assert_array_equal(y.min(axis=axes), y.max(axis=axes))


def test_activity_regularization_files_its_loss() -> None:
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    x = nb3d.Input((3,))
    layer(x)
    (loss,) = nb3d.function([x], layer.losses)([np.array([[1.0, -2.0, 0.0]], "float32")])
    assert loss == pytest.approx(0.5 * 3 + 0.25 * 5)


# ---- what is refused, and when


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: layers.Conv1D(2, (3, 3)), "kernel_size"),
        (lambda: layers.Conv2D(2, 3, padding="causal"), "padding"),
        (lambda: layers.Conv2D(2, (3, 3, 3)), "kernel_size"),
        (lambda: layers.Conv1DTranspose(2, 3, strides=2, output_padding=2), "output_padding"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier"),
        (lambda: layers.SeparableConv3D(2, 3, pointwise_initializer="no such"), "no such"),
        (lambda: layers.AdaptiveMaxPooling2D((2, 0)), "output_size"),
        (lambda: layers.ZeroPadding1D((1, 2, 3)), "padding"),
        (lambda: layers.Cropping2D(((1, 2),)), "cropping"),
        (lambda: layers.UpSampling2D(2, interpolation="bicubic"), "interpolation"),
        (lambda: layers.RepeatVector(0), "n"),
        (lambda: layers.Dot((1, 2, 3)), "axes"),
        (lambda: layers.GaussianNoise(2.0), "stddev"),
        (lambda: layers.GaussianDropout(-1), "rate"),
        (lambda: layers.ActivityRegularization(l1=-1), "l1"),
        (lambda: layers.TimeDistributed("Dense"), "layer"),
        (lambda: layers.SpectralNormalization(layers.Dense(2), 0), "power_iterations"),
        (lambda: layers.Attention(score_mode="sum"), "score_mode"),
        (lambda: layers.MultiHeadAttention(0, 2), "num_heads"),
        (lambda: layers.MultiHeadAttention(2, 2, sliding_window=0), "sliding_window"),
        (lambda: layers.GroupQueryAttention(4, 3, 2), "num_key_value_heads"),
        (lambda: layers.EinsumDense("ab,bc", 3), "equation"),
        (lambda: layers.EinsumDense("...ab,bc->ac...", 3), "equation"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="b"), "bias_axes"),
        (lambda: layers.Embedding(0, 3), "input_dim"),
    ],
)
def test_a_wrong_argument_is_named_when_the_layer_is_made(make: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        make()


@pytest.mark.parametrize(
    ("layer", "shapes", "word"),
    [
        (layers.Conv2D(2, 3, name="a"), [(4, 4)], "ndim"),
        (layers.Conv1D(2, 3, name="a"), [(2, 4)], "width"),
        (layers.Conv2DTranspose(2, 3, name="a"), [(4, 4, None)], "channel"),
        (layers.MaxPooling1D(3, name="a"), [(2, 4)], "width"),
        (layers.AdaptiveMaxPooling1D(3, name="a"), [(4,)], "ndim"),
        (layers.Cropping1D(2, name="a"), [(4, 4)], "width"),
        (layers.RepeatVector(2, name="a"), [(4, 4)], "ndim"),
        (layers.Dot(1, name="a"), [(4,), (5,)], "einsum"),
        (layers.Dot(0, name="a"), [(4,), (4,)], "batch"),
        (layers.Dot(1, name="a"), [(4,), (4,), (4,)], "2 inputs"),
        (layers.TimeDistributed(layers.Dense(2), name="a"), [(4,)], "3 axes"),
        (layers.SpectralNormalization(layers.Flatten(), name="a"), [(4,)], "kernel"),
        (layers.Attention(name="a"), [(4, 4)], "list"),
        (layers.EinsumDense("abc,cd->abd", (None, 2), name="a"), [(4,)], "equation"),
        (layers.EinsumDense("abc,cd->abd", (None, None), name="a"), [(4, 4)], "unknown"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_the_layer_s_name(layer: Any, shapes: Any, word: str) -> None:
    symbols = [nb3d.Input(shape) for shape in shapes]
    with pytest.raises(ValueError, match=word) as refusal:
        layer(symbols if len(symbols) > 1 else symbols[0])
    assert "'a'" in str(refusal.value)


def test_a_kernel_is_not_normalized_which_only_training_does() -> None:
    layer = layers.SpectralNormalization(layers.Dense(2), name="a")
    with pytest.raises(ValueError, match=r"'a'.*in training only"):
        layer(nb3d.Input((4,)), training=True)


def test_keys_and_values_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'heads'.*same sizes"):
        layers.MultiHeadAttention(2, 2, name="heads")(volume((1, 4, 3)), volume((1, 5, 3)), volume((1, 6, 3)))


def test_an_index_that_an_embedding_does_not_have_is_named() -> None:
    with pytest.raises(ValueError, match="index 7 is out of range"):
        layers.Embedding(5, 2)(np.array([[1, 7]]))
