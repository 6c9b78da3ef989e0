"""Comparing a model with activations recorded elsewhere, and looking inside one."""

from typing import Any

import numpy as np
import pytest

import nb3d

layers = nb3d.layers


def network() -> Any:
    x = nb3d.Input((5, 4, 3, 2), name="scan")
    y = layers.Conv3D(3, 3, padding="same", name="conv")(x)
    y = layers.Activation("relu", name="gate")(layers.BatchNormalization(name="norm")(y))
    return nb3d.Model(x, layers.Dense(2, name="head")(y))


def recorded(model: Any) -> dict[str, np.ndarray]:
    x = np.random.default_rng(0).standard_normal((2, 5, 4, 3, 2)).astype("float32")
    return dict(model.layer_outputs(x))


def test_layers_are_listed_in_the_order_of_computation_with_what_they_compute() -> None:
    model = network()
    outputs = recorded(model)
    assert list(outputs) == ["scan", "conv", "norm", "gate", "head"]
    np.testing.assert_array_equal(outputs["gate"], np.maximum(outputs["norm"], 0))
    np.testing.assert_allclose(outputs["head"], model.predict(outputs["scan"], verbose=0), rtol=1e-4, atol=1e-5)


def test_layers_called_twice_and_those_of_two_outputs_have_lists() -> None:
    x = nb3d.Input((2,), name="x")
    shared = layers.Dense(2, name="shared")
    model = nb3d.Model(x, shared(shared(x)))
    first, second = model.layer_outputs(np.ones((1, 2)), layers=["shared"])["shared"]
    np.testing.assert_array_equal(second, model.predict(np.ones((1, 2)), verbose=0))
    assert not np.array_equal(first, second)
    with pytest.raises(ValueError, match="No such layer"):
        model.layer_outputs(np.ones((1, 2)), layers=["nobody"])


def test_a_model_agrees_with_itself() -> None:
    model = network()
    comparison = nb3d.inspect.compare(model, recorded(model))
    assert comparison.first is None
    assert [item.error for item in comparison.differences] == [0.0] * 5
    assert "all layers agree" in str(comparison)


def test_the_first_layer_that_differs_is_found_with_the_voxel() -> None:
    model = network()
    values = recorded(model)
    values["norm"][1, 2, 3, 1, 0] += 5.0
    values["head"][:] = 0
    first = nb3d.inspect.compare(model, values).first
    assert first is not None
    assert (first.layer, first.index) == ("norm", (1, 2, 3, 1, 0))
    assert first.expected == pytest.approx(first.got + 5.0, abs=1e-5)
    assert "! norm" in str(nb3d.inspect.compare(model, values))


@pytest.mark.parametrize(
    "change",
    [
        lambda y: y[..., :1],
        lambda y: y[:1],
        lambda y: np.full_like(y, np.nan),
        lambda y: np.where(y == y.max(), np.inf, y),
        lambda y: [y, y],
    ],
)
def test_other_shapes_and_values_that_are_not_finite_differ_without_bound(change: Any) -> None:
    model = network()
    values: dict[str, Any] = recorded(model)
    values["gate"] = change(values["gate"])
    first = nb3d.inspect.compare(model, values).first
    assert first is not None
    assert (first.layer, first.error) == ("gate", float("inf"))


def test_some_layers_are_enough_but_all_inputs_are_needed() -> None:
    model = network()
    values = recorded(model)
    assert len(nb3d.inspect.compare(model, {"scan": values["scan"], "head": values["head"]}).differences) == 2
    with pytest.raises(ValueError, match=r"\['scan'\]"):
        nb3d.inspect.compare(model, {"head": values["head"]})
    with pytest.raises(ValueError, match="No such layer"):
        nb3d.inspect.compare(model, {**values, "nobody": 0})


def test_the_tolerance_is_the_caller_s() -> None:
    model = network()
    values = recorded(model)
    values["conv"] = values["conv"] * 1.001
    assert nb3d.inspect.compare(model, values).first is not None
    assert nb3d.inspect.compare(model, values, tolerance=0.01).first is None
