"""``predict(check_finite=True)`` names the layer and the voxel where the first value that is not finite comes up."""

from typing import Any

import numpy as np
import pytest

import nb3d

layers = nb3d.layers


def network() -> Any:
    x = nb3d.Input((6, 5, 4, 2), name="scan")
    y = layers.Conv3D(3, 3, padding="same", activation="relu", name="first")(x)
    y = layers.Dropout(0.5)(layers.BatchNormalization(name="norm")(y))
    y = layers.Conv3D(2, 1, name="second")(y)
    return nb3d.Model(x, layers.Softmax(name="last")(y))


def scan() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((5, 6, 5, 4, 2)).astype("float32")


def message(model: Any, x: np.ndarray, **options: Any) -> str:
    with pytest.raises(FloatingPointError) as caught:
        model.predict(x, verbose=0, check_finite=True, **options)
    return str(caught.value)


def test_finite_values_are_predicted_as_ever() -> None:
    model = network()
    checked = model.predict(scan(), verbose=0, check_finite=True)
    np.testing.assert_allclose(checked, model.predict(scan(), verbose=0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("batch_size", [None, 2])
def test_an_input_is_named_with_its_voxel_whatever_the_batch(batch_size: int | None) -> None:
    x = scan()
    x[3, 4, 2, 1, 1] = np.nan
    told = message(network(), x, batch_size=batch_size)
    assert "Input 'scan': the first value that is not finite is nan, at (3, 4, 2, 1, 1)" in told


def test_a_layer_is_named_where_a_weight_is_to_blame() -> None:
    model = network()
    gamma = np.ones(3, "float32")
    gamma[1] = np.inf
    model.get_layer("norm").gamma.assign(gamma)
    told = message(model, np.abs(scan()) + 1)
    assert "Layer 'norm'" in told
    assert "a weight of the layer is not finite" in told


def test_a_layer_that_overflows_is_named_with_the_voxel() -> None:
    model = network()
    model.get_layer("second").kernel.assign(np.zeros((1, 1, 1, 3, 2)))
    bias = np.array([0.0, 3e38], "float32")
    model.get_layer("second").bias.assign(bias)
    model.get_layer("second").kernel.assign(np.full((1, 1, 1, 3, 2), 3e38))
    model.get_layer("first").bias.assign(np.full(3, 9.0))
    told = message(model, scan())
    assert "Layer 'second'" in told
    assert "is inf, at (0, 0, 0, 0, 0) of" in told
    assert "what the layer was given is finite" in told


def test_nothing_is_checked_unless_it_is_asked_for() -> None:
    x = scan()
    x[0] = np.nan
    assert np.isnan(network().predict(x, verbose=0)[0]).all()
