"""Masks: collected from the inputs, given to ``call``, computed for the outputs."""

from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from tests.engine.helpers import MakesMask, Same, TakesMask, Twin, count, evaluate

layers = nb3d.layers


def mask_of(tensor: Any) -> Any:
    return getattr(tensor, "_keras_mask", None)


def masked(shape: tuple[int | None, ...] = (4, 3)) -> tuple[Any, Any]:
    """An input, and a tensor made of it that carries a mask."""
    x = nb3d.Input(shape)
    return x, MakesMask()(x)


class MaskEverything(nb3d.layers.Layer):
    """Supports masking the default way; any number of inputs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return (inputs[0] if isinstance(inputs, list | tuple) else inputs) + 1.0


# ---- compute_mask


@pytest.mark.parametrize("layer", [nb3d.layers.Layer(), layers.Conv3D(1, 1)], ids=["Layer", "Conv3D"])
def test_without_support_a_mask_is_refused_and_none_is_none(layer: Any) -> None:
    assert layer.supports_masking is False
    x, y = masked()
    assert layer.compute_mask(x) is None
    assert layer.compute_mask(x, None) is None
    assert layer.compute_mask([x, x], [None, None]) is None
    with pytest.raises(TypeError, match="does not support masking"):
        layer.compute_mask(y, mask_of(y))
    with pytest.raises(TypeError, match="does not support masking"):
        layer.compute_mask([x, y], [None, mask_of(y)])


def test_with_support_the_mask_itself_comes_back() -> None:
    _, y = masked()
    assert MaskEverything().compute_mask(y, mask_of(y)) is mask_of(y)
    assert MaskEverything().compute_mask(y, None) is None


@pytest.mark.parametrize(
    "layer",
    [layers.Dense(2), layers.Dropout(0.5), layers.Activation("relu"), layers.Masking()],
    ids=lambda layer: type(layer).__name__,
)
def test_these_layers_support_masking(layer: Any) -> None:
    assert layer.supports_masking is True
    _, y = masked()
    assert mask_of(layer(y)) is not None


# ---- the way of a mask


def test_a_tensor_without_mask_has_none() -> None:
    x = nb3d.Input((4, 3))
    assert mask_of(x) is None
    assert mask_of(layers.Dense(2)(x)) is None


def test_masking_masks_the_steps_where_all_channels_have_the_value() -> None:
    x = nb3d.Input((4, 3))
    layer = layers.Masking(mask_value=2.0)
    y = layer(x)
    assert layer.output_mask is mask_of(y)
    assert mask_of(y).shape == (None, 4)
    assert layer.input_mask is None
    array = np.array([[[2, 2, 2], [2, 1, 2], [0, 0, 0], [2, 2, 2]]], "float32")
    value, mask = evaluate([y, layer.output_mask], {x: array})
    np.testing.assert_array_equal(mask.astype(bool), [[False, True, True, False]])
    np.testing.assert_array_equal(value, array * mask.astype("float32")[..., None])


def test_a_mask_goes_on_through_layers_that_support_it() -> None:
    x, y = masked()
    first, second = layers.Dense(5), layers.Activation("relu")
    z = second(first(y))
    assert first.input_mask is mask_of(y)
    assert first.get_input_mask_at(0) is mask_of(y)
    assert second.output_mask is second.get_output_mask_at(0) is mask_of(z)
    array = count((1, 4, 3), -5.0)
    np.testing.assert_array_equal(evaluate([mask_of(z)], {x: array})[0].astype(bool), (array > 0).any(axis=-1))


@pytest.mark.parametrize("layer", [layers.Conv3D(1, 1), Twin()], ids=["Conv3D", "a user's layer"])
def test_a_mask_ends_at_a_layer_without_support_and_a_warning_says_so(layer: Any) -> None:
    _, y = masked((2, 2, 2, 1))
    with pytest.warns(UserWarning, match=rf"{layer.name}.* does not support masking: .* ends here"):
        z = layer(y)
    assert mask_of(z) is None
    assert layer.input_mask is mask_of(y)


def test_a_network_inside_a_model_ends_masks_silently_once_it_is_made() -> None:
    inner_x, inner_y = masked()
    with pytest.warns(UserWarning, match="does not support masking"):
        inner = nb3d.Model(inner_x, layers.Flatten()(inner_y))
    x = nb3d.Input((4, 3))
    z = layers.Dense(2)(inner(x))
    assert mask_of(z) is None
    model = nb3d.Model(x, z)
    array = count((1, 4, 3), -5.0)
    np.testing.assert_allclose(model.predict(array, verbose=0), model.layers[-1](inner(array)), rtol=1e-5)


def test_the_mask_is_injected_where_call_has_a_mask() -> None:
    _, y = masked()
    layer = TakesMask()
    layer(y)
    assert layer.received == [mask_of(y)]


def test_nothing_is_injected_where_no_input_has_a_mask() -> None:
    layer = TakesMask()
    layer(nb3d.Input((4, 3)))
    layer([nb3d.Input((4, 3)), nb3d.Input((4, 3))])
    assert layer.received == [None, None]


def test_several_inputs_give_a_list_of_masks() -> None:
    x, y = masked()
    layer = TakesMask()
    layer([x, y])
    (received,) = layer.received
    assert isinstance(received, list)
    assert received[0] is None
    assert received[1] is mask_of(y)
    assert layer.input_mask[0] is None
    assert layer.input_mask[1] is mask_of(y)


def test_an_explicit_none_suppresses_the_injection_but_not_the_output_mask() -> None:
    _, y = masked()
    layer = TakesMask()
    z = layer(y, mask=None)
    assert layer.received == [None]
    assert mask_of(z) is mask_of(y)


def test_an_explicit_mask_wins_for_call_but_not_for_the_output() -> None:
    x, y = masked()
    other = ops.any(ops.greater(x, 5.0), axis=-1)
    layer = TakesMask()
    z = layer(y, mask=other)
    assert layer.received == [other]
    assert layer.input is y
    assert mask_of(z) is mask_of(y)


def test_each_output_has_its_own_mask() -> None:
    class Split(Twin):
        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return [None, mask]

    _, y = masked()
    layer = Split()
    first, second = layer(y)
    assert mask_of(first) is None
    assert mask_of(second) is mask_of(y)
    assert layer.output_mask[0] is None
    assert layer.output_mask[1] is mask_of(y)


def test_each_call_has_its_own_masks() -> None:
    _, y = masked()
    layer = MaskEverything()
    outputs = [layer(nb3d.Input((4, 3))), layer(y)]
    assert layer.get_input_mask_at(0) is layer.get_output_mask_at(0) is mask_of(outputs[0]) is None
    assert layer.get_input_mask_at(1) is mask_of(y)
    assert layer.get_output_mask_at(1) is mask_of(outputs[1]) is mask_of(y)


def test_a_returned_input_keeps_its_mask_and_its_copy_has_one() -> None:
    class Renew(Same):
        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return ops.any(ops.less(inputs, 0.0), axis=-1)

    x, y = masked()
    before = mask_of(y)
    layer = Renew()
    z = layer(y)
    assert mask_of(y) is before
    assert mask_of(z) is not None
    assert mask_of(z) is not before
    array = count((1, 4, 3), -5.0)
    np.testing.assert_array_equal(evaluate([mask_of(z)], {x: array})[0].astype(bool), (array < 0).any(axis=-1))
    fresh = nb3d.Input((4, 3))
    layer(fresh)
    assert mask_of(fresh) is None


# ---- Lambda


def test_a_lambda_stops_a_mask_silently() -> None:
    _, y = masked()
    assert mask_of(layers.Lambda(lambda tensor: tensor + 1.0)(y)) is None


def test_a_lambda_returns_its_mask_or_calls_it() -> None:
    x, y = masked()
    fixed = ops.any(ops.greater(x, 1.0), axis=-1)
    assert mask_of(layers.Lambda(lambda tensor: tensor + 1.0, mask=fixed)(y)) is fixed
    made = layers.Lambda(lambda tensor: tensor + 1.0, mask=lambda inputs, mask=None: mask)
    assert mask_of(made(y)) is mask_of(y)


# ---- models


def test_the_mask_of_a_model_is_that_of_its_last_layer() -> None:
    x = nb3d.Input((4, 3))
    masking = layers.Masking()
    last = layers.Dense(2)
    model = nb3d.Model(x, last(masking(x)))
    assert model.output_mask is last.output_mask
    assert model.output_mask is not None
    assert model.input_mask is None


def test_compute_mask_of_a_model_without_masks_is_a_none_for_each_output() -> None:
    a, b = nb3d.Input((32,)), nb3d.Input((32,))
    shared = layers.Dense(4)
    model = nb3d.Model([a, b], [shared(a), layers.Dense(5)(b)])
    assert model.compute_mask([a, b], [None, None]) == [None, None]
    assert model.compute_mask([nb3d.Input((32,)), nb3d.Input((32,))], [None, None]) == [None, None]


def test_a_model_called_again_masks_its_output_again() -> None:
    x = nb3d.Input((4, 3))
    model = nb3d.Model(x, layers.Dense(2)(layers.Masking()(x)))
    other = nb3d.Input((4, 3))
    y = model(other)
    array = np.array([[[0, 0, 0], [0, 1, 0], [0, 0, 0], [2, 2, 2]]], "float32")
    np.testing.assert_array_equal(evaluate([mask_of(y)], {other: array})[0].astype(bool), [[False, True, False, True]])
