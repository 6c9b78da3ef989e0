"""``Conv3D`` as its page describes it: arguments, shapes and values, judged by a small convolution in NumPy."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nb3d

Conv3D = nb3d.layers.Conv3D
Triple = tuple[int, int, int]


def triple(value: int | Triple) -> Triple:
    return (value, value, value) if isinstance(value, int) else value


def output_length(n: int, k: int, s: int, d: int, padding: str) -> int:
    return math.ceil(n / s) if padding == "same" else math.ceil((n - (k - 1) * d) / s)


def padding_before(n: int, k: int, s: int, d: int, padding: str) -> int:
    total = max((output_length(n, k, s, d, padding) - 1) * s + (k - 1) * d + 1 - n, 0)
    return total // 2 if padding == "same" else 0


def convolved(
    x: np.ndarray, kernel: np.ndarray, strides: int | Triple = 1, dilation: int | Triple = 1, padding: str = "valid"
) -> np.ndarray:
    """Convolution by one sum for each output voxel: channels last, zeros outside, the kernel not flipped."""
    strides, dilation = triple(strides), triple(dilation)
    axes = list(zip(x.shape[1:4], kernel.shape[:3], strides, dilation, strict=True))
    lengths = [output_length(*axis, padding) for axis in axes]
    before = [padding_before(*axis, padding) for axis in axes]
    y = np.zeros((x.shape[0], *lengths, kernel.shape[-1]))
    for out in product(*map(range, lengths)):
        for tap in product(*map(range, kernel.shape[:3])):
            at = [o * s - b + t * d for o, s, b, t, d in zip(out, strides, before, tap, dilation, strict=True)]
            if all(0 <= i < n for i, n in zip(at, x.shape[1:4], strict=True)):
                y[:, *out] += x[:, *at].astype("float64") @ kernel[tap]
    return y


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype("float32")


def check_against_numpy(shape: tuple[int, ...], cin: int, **kwargs: Any) -> None:
    """Eager and planned results of a new Conv3D on a random volume against `convolved`."""
    x = random(2, *shape, cin)
    layer = Conv3D(3, bias_initializer="ones", **kwargs)
    y = layer(x)
    expected = 1 + convolved(
        x,
        layer.kernel.numpy(),
        kwargs.get("strides", 1),
        kwargs.get("dilation_rate", 1),
        kwargs.get("padding", "valid"),
    )
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    symbol = nb3d.Input((*shape, cin))
    assert layer(symbol).shape == (None, *expected.shape[1:])
    np.testing.assert_allclose(nb3d.function([symbol], [layer.output])([x])[0], expected, rtol=1e-4, atol=1e-5)


# ---- the constructor


def test_convolution3d_is_the_same_class() -> None:
    assert nb3d.layers.Convolution3D is Conv3D


@pytest.mark.parametrize("argument", ["kernel_size", "strides", "dilation_rate"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2, (2, 2, 2)),
        ((1, 2, 3), (1, 2, 3)),
        ([3, 2, 1], (3, 2, 1)),
        (np.array([1, 1, 2]), (1, 1, 2)),
        (iter((2, 1, 1)), (2, 1, 1)),
    ],
    ids=["integer", "tuple", "list", "array", "iterator"],
)
def test_sizes_become_tuples_of_three(argument: str, value: Any, expected: Triple) -> None:
    if hasattr(value, "__next__"):
        value = iter(expected)
    layer = Conv3D(**{"filters": 2, "kernel_size": 1, argument: value})
    assert getattr(layer, argument) == expected
    assert type(getattr(layer, argument)) is tuple


@pytest.mark.parametrize("argument", ["kernel_size", "strides", "dilation_rate"])
@pytest.mark.parametrize(
    "bad", [None, (1, 2), (1, 2, 3, 4), "abc", (1, None, 1), (1, "x", 1), math.nan, (1, math.nan, 1)], ids=str
)
def test_sizes_that_are_no_three_integers_are_refused_by_name(argument: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=argument):
        Conv3D(**{"filters": 2, "kernel_size": 1, argument: bad})


@pytest.mark.parametrize("padding", ["valid", "same", "VALID", "Same", "SAME"])
def test_padding_is_stored_in_lower_case(padding: str) -> None:
    assert Conv3D(2, 3, padding=padding).padding == padding.lower()


@pytest.mark.parametrize("padding", ["causal", "full", "", "sames"])
def test_other_paddings_are_refused(padding: str) -> None:
    with pytest.raises(ValueError, match="padding"):
        Conv3D(2, 3, padding=padding)


@pytest.mark.parametrize(
    ("data_format", "stored"),
    [("channels_last", "channels_last"), ("CHANNELS_FIRST", "channels_first"), (None, nb3d.config.image_data_format())],
)
def test_data_format_is_lower_case_or_the_global_one(data_format: str | None, stored: str) -> None:
    assert Conv3D(2, 3, data_format=data_format).data_format == stored


@pytest.mark.parametrize("data_format", ["channels", "NDHWC", ""])
def test_other_data_formats_are_refused(data_format: str) -> None:
    with pytest.raises(ValueError, match="data_format"):
        Conv3D(2, 3, data_format=data_format)


@pytest.mark.parametrize(("strides", "dilation"), [(2, 2), ((2, 1, 1), (1, 2, 1)), ((1, 1, 3), 2)])
def test_strides_and_dilation_together_are_refused(strides: Any, dilation: Any) -> None:
    with pytest.raises(ValueError, match="dilation"):
        Conv3D(2, 3, strides=strides, dilation_rate=dilation)


def test_the_defaults() -> None:
    layer = Conv3D(4, 3)
    assert (layer.filters, layer.kernel_size) == (4, (3, 3, 3))
    assert layer.strides == layer.dilation_rate == (1, 1, 1)
    assert layer.padding == "valid"
    assert layer.use_bias is True
    assert layer.activation is nb3d.activations.linear
    assert layer.kernel_regularizer is layer.bias_regularizer is layer.activity_regularizer is None
    assert layer.kernel_constraint is layer.bias_constraint is None
    assert layer.trainable is True


def test_the_arguments_may_come_by_place() -> None:
    layer = Conv3D(4, 3, (2, 1, 1), "same", "channels_first")
    assert (layer.strides, layer.padding, layer.data_format) == ((2, 1, 1), "same", "channels_first")


@pytest.mark.parametrize("activation", ["relu", nb3d.activations.relu])
def test_the_activation_is_applied_after_the_bias(activation: Any) -> None:
    x = random(1, 2, 2, 2, 2)
    bias = nb3d.initializers.Constant(-0.5)
    layer = Conv3D(3, 1, activation=activation, bias_initializer=bias)
    np.testing.assert_allclose(
        layer(x), np.maximum(convolved(x, np.zeros((1, 1, 1, 2, 3)) + layer.kernel.numpy()) - 0.5, 0), atol=1e-6
    )
    assert layer.activation is nb3d.activations.relu


def test_an_activation_may_be_any_function_of_a_tensor() -> None:
    layer = Conv3D(3, 1, activation=lambda tensor: tensor * 2.0 + 1.0)
    x = random(1, 2, 2, 2, 2)
    np.testing.assert_allclose(layer(x), convolved(x, layer.kernel.numpy()) * 2 + 1, rtol=1e-5, atol=1e-6)


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="relux"):
        Conv3D(2, 3, activation="relux")


@pytest.mark.parametrize("argument", ["kernel_initializer", "bias_initializer"])
@pytest.mark.parametrize("bad", [None, 3, "zeroes"], ids=str)
def test_what_is_no_initializer_is_refused(argument: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=r"nitializer|zeroes"):
        Conv3D(2, 3, **{argument: bad}).build((None, 4, 4, 4, 1))


@pytest.mark.parametrize(
    "argument",
    ["kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint"],
)
def test_an_unknown_regularizer_or_constraint_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match="l3"):
        Conv3D(2, 3, **{argument: "l3"})


def test_constraints_hang_on_the_weights() -> None:
    layer = Conv3D(2, 3, kernel_constraint="max_norm", bias_constraint="non_neg")
    layer.build((None, 4, 4, 4, 1))
    assert layer.kernel.constraint is layer.kernel_constraint
    assert layer.bias.constraint is layer.bias_constraint


def test_an_unknown_keyword_is_named() -> None:
    with pytest.raises(TypeError, match="colour"):
        Conv3D(2, 3, colour="red")


def test_every_keyword_of_the_base_layer_is_accepted() -> None:
    layer = Conv3D(
        2,
        3,
        input_shape=(4, 4, 4, 1),
        batch_size=2,
        dtype="float64",
        name="stem",
        trainable=False,
        weights=None,
        activity_regularizer="l2",
    )
    assert (layer.name, layer.dtype, layer.trainable) == ("stem", "float64", False)
    assert layer.activity_regularizer is not None


@pytest.mark.parametrize("filters", [math.nan, "many", None, -1, 0], ids=str)
def test_impossible_filters_are_refused_no_later_than_at_build(filters: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Conv3D(filters, 3).build((None, 4, 4, 4, 1))


@pytest.mark.parametrize("argument", ["kernel_size", "strides", "dilation_rate"])
@pytest.mark.parametrize("bad", [0, -1, (1, 0, 1)])
def test_sizes_below_one_are_refused_no_later_than_at_the_call(argument: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=r"kernel|stride|dilation"):
        Conv3D(**{"filters": 2, "kernel_size": 1, argument: bad})(nb3d.Input((4, 4, 4, 1)))


# ---- weights


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_kernel_has_one_layout_in_both_data_formats(data_format: str) -> None:
    layer = Conv3D(5, (1, 2, 3), data_format=data_format)
    layer(nb3d.Input((6, 7, 8, 4) if data_format == "channels_last" else (4, 6, 7, 8)))
    assert tuple(layer.kernel.shape) == (1, 2, 3, 4, 5)
    assert tuple(layer.bias.shape) == (5,)
    assert layer.weights == [layer.kernel, layer.bias]
    assert layer.count_params() == 1 * 2 * 3 * 4 * 5 + 5


def test_without_bias_it_is_none() -> None:
    layer = Conv3D(5, 2, use_bias=False)
    layer.build((None, 4, 4, 4, 1))
    assert layer.bias is None
    assert layer.weights == [layer.kernel]


def test_the_kernel_starts_glorot_uniform_and_the_bias_at_zero() -> None:
    layer = Conv3D(16, 3)
    layer.build((None, 4, 4, 4, 8))
    kernel, limit = layer.kernel.numpy(), math.sqrt(6 / (27 * 8 + 27 * 16))
    assert 0.99 * limit < np.abs(kernel).max() <= limit
    assert abs(kernel.mean()) < 0.05 * limit
    assert abs(kernel.std() - limit / math.sqrt(3)) < 0.05 * limit
    assert not layer.bias.numpy().any()


# ---- shapes


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_unknown_channels_are_refused(data_format: str) -> None:
    shape = (4, 4, 4, None) if data_format == "channels_last" else (None, 4, 4, 4)
    with pytest.raises(ValueError, match="channel"):
        Conv3D(2, 3, data_format=data_format)(nb3d.Input(shape))


@pytest.mark.parametrize("shape", [(4, 4, 1), (4, 4, 4, 4, 1), (4,)])
def test_another_rank_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ndim"):
        Conv3D(2, 3)(nb3d.Input(shape))


@pytest.mark.parametrize(("data_format", "other"), [("channels_last", (4, 4, 4, 2)), ("channels_first", (2, 4, 4, 1))])
def test_another_number_of_channels_is_refused_later(data_format: str, other: tuple[int, ...]) -> None:
    layer = Conv3D(2, 1, data_format=data_format)
    layer(nb3d.Input((4, 4, 4, 1) if data_format == "channels_last" else (1, 4, 4, 4)))
    with pytest.raises(ValueError, match="axis"):
        layer(nb3d.Input(other))
    layer(nb3d.Input((5, 6, 7, 1) if data_format == "channels_last" else (1, 5, 6, 7)))


@given(
    n=st.tuples(*[st.integers(1, 40)] * 3),
    k=st.tuples(*[st.integers(1, 5)] * 3),
    step=st.tuples(*[st.integers(1, 4)] * 3),
    dilated=st.booleans(),
    padding=st.sampled_from(["valid", "same"]),
)
@settings(max_examples=150, deadline=None)
def test_output_lengths_follow_the_formula(n: Triple, k: Triple, step: Triple, dilated: bool, padding: str) -> None:
    strides, dilation = ((1, 1, 1), step) if dilated else (step, (1, 1, 1))
    layer = Conv3D(2, k, strides=strides, dilation_rate=dilation, padding=padding)
    lengths = [output_length(*axis, padding) for axis in zip(n, k, strides, dilation, strict=True)]
    if min(lengths) < 1:
        with pytest.raises(ValueError, match=r"conv3d|shape|size|output|smaller|negative"):
            layer(nb3d.Input((*n, 1)))
    else:
        assert layer(nb3d.Input((*n, 1))).shape == (None, *lengths, 2)
        assert tuple(layer.compute_output_shape((None, *n, 1))) == (None, *lengths, 2)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_unknown_lengths_stay_unknown(padding: str) -> None:
    layer = Conv3D(2, 3, strides=2, padding=padding)
    assert layer(nb3d.Input((None, 9, None, 1))).shape == (None, None, 4 if padding == "valid" else 5, None, 2)


# ---- values


def test_it_is_a_cross_correlation() -> None:
    layer = Conv3D(1, (1, 1, 3), use_bias=False)
    layer.build((None, 1, 1, 4, 1))
    layer.set_weights([np.array([1.0, 10.0, 100.0]).reshape(1, 1, 3, 1, 1)])
    x = np.array([1.0, 2.0, 3.0, 4.0], "float32").reshape(1, 1, 1, 4, 1)
    np.testing.assert_array_equal(layer(x).ravel(), [321.0, 432.0])


@pytest.mark.parametrize(
    ("n", "k", "stride", "row"),
    [
        (5, 2, 1, [3, 5, 7, 9, 5]),  # total padding 1: all of it at the end
        (4, 4, 1, [6, 10, 9, 7]),  # total 3: one before, two after
        (5, 3, 2, [3, 9, 9]),  # total 2: one on each side
        (4, 3, 2, [6, 7]),  # total 1, for another n of the same parameters: at the end
        (6, 5, 3, [10, 18]),  # total 2: one on each side
        (3, 2, 3, [3]),  # total 0: a stride longer than the kernel
    ],
)
def test_the_odd_zero_of_same_padding_goes_to_the_end(n: int, k: int, stride: int, row: list[float]) -> None:
    for axis in range(3):
        kernel_size, strides, shape = [1, 1, 1], [1, 1, 1], [1, 1, 1]
        kernel_size[axis], strides[axis], shape[axis] = k, stride, n
        layer = Conv3D(1, tuple(kernel_size), tuple(strides), "same", kernel_initializer="ones")
        x = np.arange(1.0, n + 1, dtype="float32").reshape(1, *shape, 1)
        np.testing.assert_array_equal(layer(x).ravel(), row)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [1, 2, 3, (1, 2, 3)])
def test_values_with_strides(strides: Any, padding: str) -> None:
    check_against_numpy((5, 6, 7), 2, kernel_size=(3, 2, 4), strides=strides, padding=padding)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("dilation", [2, (1, 2, 3)])
def test_values_with_dilation(dilation: Any, padding: str) -> None:
    check_against_numpy((6, 7, 8), 2, kernel_size=(3, 2, 2), dilation_rate=dilation, padding=padding)


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"strides": (1, 2, 1), "padding": "same"},
        {"dilation_rate": (2, 1, 2), "padding": "same"},
        {"activation": "relu"},
    ],
    ids=str,
)
def test_channels_first_is_a_transposition_on_both_sides(kwargs: dict[str, Any]) -> None:
    first = Conv3D(3, 2, data_format="channels_first", bias_initializer="ones", **kwargs)
    last = Conv3D(3, 2, data_format="channels_last", **kwargs)
    x = random(2, 2, 4, 5, 6)
    symbol = nb3d.Input(x.shape[1:])
    first(symbol)
    last.build((None, 4, 5, 6, 2))
    last.set_weights(first.get_weights())
    expected = np.moveaxis(last(np.ascontiguousarray(np.moveaxis(x, 1, -1))), -1, 1)
    assert first.output_shape == (None, *expected.shape[1:])
    np.testing.assert_allclose(first(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(nb3d.function([symbol], [first.output])([x])[0], expected, rtol=1e-5, atol=1e-6)


def test_double_precision_is_kept() -> None:
    layer = Conv3D(2, 2, dtype="float64")
    x = random(1, 3, 3, 3, 2).astype("float64")
    y = layer(x)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y, convolved(x, layer.kernel.numpy()), rtol=1e-12, atol=1e-14)
