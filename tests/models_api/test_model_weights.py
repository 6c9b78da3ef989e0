"""The weights of a model: their partition, and their two orders."""

import numpy as np
import pytest

import nb3d
from tests.models_api.helpers import conv_and_norm, count, two_by_two

layers = nb3d.layers


def test_weights_are_all_trainable_ones_and_then_the_others() -> None:
    model = conv_and_norm()
    conv, norm, head = (model.get_layer(name) for name in ("conv", "norm", "head"))
    assert model.trainable_weights == [*conv.weights, norm.gamma, norm.beta, *head.weights]
    assert model.non_trainable_weights == [norm.moving_mean, norm.moving_variance]
    assert model.weights == model.trainable_weights + model.non_trainable_weights
    assert model.variables == model.weights
    assert model.trainable_variables == model.trainable_weights
    assert model.non_trainable_variables == model.non_trainable_weights


def test_arrays_are_read_and_written_layer_by_layer() -> None:
    model = conv_and_norm()
    by_layer = [weight for layer in model.layers for weight in layer.weights]
    assert [array.shape for array in model.get_weights()] == [tuple(weight.shape) for weight in by_layer]
    arrays = [count(weight.shape, start) for start, weight in enumerate(by_layer)]
    model.set_weights(arrays)
    for weight, array, read in zip(by_layer, arrays, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight.numpy(), array)
        np.testing.assert_array_equal(read, array)


def test_a_shared_layer_counts_once() -> None:
    model = two_by_two()
    assert len(model.weights) == 8
    assert model.count_params() == (4 * 6 + 6) + (5 * 6 + 6) + (6 * 3 + 3) + (6 * 2 + 2)


@pytest.mark.parametrize("change", ["reversed", "shortened", "lengthened", "one other shape"])
def test_arrays_that_do_not_fit_are_refused_and_nothing_is_half_written(change: str) -> None:
    model = conv_and_norm()
    before = model.get_weights()
    arrays = [array + 1 for array in before]
    wrong = {
        "reversed": arrays[::-1],
        "shortened": arrays[:-1],
        "lengthened": [*arrays, arrays[-1]],
        "one other shape": [*arrays[:-1], np.zeros((2,), "float32")],
    }[change]
    with pytest.raises(ValueError, match=r"conv|norm|head|weights"):
        model.set_weights(wrong)
    for array, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_freezing_a_model_leaves_its_layers_alone() -> None:
    model = conv_and_norm()
    model.trainable = False
    assert [layer.trainable for layer in model.layers if layer.weights] == [True, True, True]
    assert model.trainable_weights == []
    assert [weight.name for weight in model.non_trainable_weights] == [weight.name for weight in model.weights]
    assert model.non_trainable_weights[-2:] == model.get_layer("norm").weights[-2:]
    model.trainable = True
    assert len(model.trainable_weights) == 6


def test_freezing_a_layer_takes_its_weights_from_the_trainable_ones_of_the_model() -> None:
    model = conv_and_norm()
    norm = model.get_layer("norm")
    norm.trainable = False
    assert model.trainable_weights == [*model.get_layer("conv").weights, *model.get_layer("head").weights]
    assert model.non_trainable_weights == norm.weights
    assert len(model.weights) == 8


def test_the_weights_of_a_model_within_a_model_are_the_same_objects() -> None:
    inner = conv_and_norm()
    x = nb3d.Input((4, 4, 4, 1))
    outer = nb3d.Model(x, layers.Conv3D(1, 1)(inner(x)))
    assert outer.trainable_weights[:6] == inner.trainable_weights
    assert outer.non_trainable_weights == inner.non_trainable_weights
    inner.trainable = False
    assert len(outer.trainable_weights) == 2
    assert len(outer.non_trainable_weights) == 8
