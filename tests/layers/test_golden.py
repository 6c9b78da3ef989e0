"""Every layer computes what real Keras computes, from the configuration that real Keras wrote."""

import numpy as np
import pytest

import nb3d
from tests.layers.golden_cases import CASES, FOLDER

TOLERANCE = {"rtol": 2e-5, "atol": 1e-5}
NOT_IN_KERAS = {"DepthwiseConv3D", "InstanceNormalization", "SeparableConv3D"}
NOTHING_TO_COMPUTE = {"Layer", "InputLayer", "InputSpec", "Lambda", "Wrapper"}


@pytest.mark.parametrize("name", CASES)
def test_the_plan_computes_what_keras_does(name: str) -> None:
    case = CASES[name]
    _, symbols, outputs = case.symbolic()
    values = nb3d.function(symbols, outputs)(case.inputs())
    for value, output, expected in zip(values, outputs, case.outputs(), strict=True):
        assert output.shape == expected.shape
        assert output.dtype == expected.dtype.name
        np.testing.assert_allclose(value, expected, **TOLERANCE)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.masked])
def test_a_call_on_arrays_computes_what_keras_does(name: str) -> None:
    case = CASES[name]
    layer, _, _ = case.symbolic()
    for value, expected in zip(case.apply(layer, case.inputs()), case.outputs(), strict=True):
        np.testing.assert_allclose(value, expected, **TOLERANCE)
    for weight, expected in zip(layer.get_weights(), case.weights("after" if case.trains else "weight"), strict=True):
        np.testing.assert_allclose(weight, expected, **TOLERANCE)


# In a graph all steps of a TimeDistributed update their averages at once, not one after the other.
@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case.trains and case.class_name != "TimeDistributed"]
)
def test_the_updates_leave_the_weights_that_training_in_keras_leaves(name: str) -> None:
    case = CASES[name]
    layer, symbols, outputs = case.symbolic()
    if layer.trainable:
        nb3d.function(symbols, outputs, updates=layer.updates)(case.inputs())
    for weight, expected in zip(layer.get_weights(), case.weights("after"), strict=True):
        np.testing.assert_allclose(weight, expected, **TOLERANCE)


def test_every_layer_has_a_recorded_case() -> None:
    recorded = {case.class_name for case in CASES.values()}
    existing = {thing.__name__ for thing in vars(nb3d.layers).values() if isinstance(thing, type)}
    assert existing - recorded == NOTHING_TO_COMPUTE | NOT_IN_KERAS


def test_the_recorded_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.npz")) < 3_000_000
