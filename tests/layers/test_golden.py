"""Every layer computes what real Keras computes, from the configuration that real Keras wrote.

``dev/record_layer_goldens.py`` recorded the values.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d

PATH = Path(__file__).parent / "golden" / "layers.npz"
TOLERANCE = {"rtol": 2e-5, "atol": 1e-5}


@cache
def golden() -> dict[str, np.ndarray]:
    with np.load(PATH) as archive:
        return dict(archive)


CASES: dict[str, dict[str, Any]] = {case["name"]: case for case in json.loads(golden()["index"].tobytes())["cases"]}


def inputs_of(case: dict[str, Any]) -> list[np.ndarray]:
    arrays = [golden()[name] for name in case["inputs"]]
    return [np.moveaxis(x, -1, 1) if x.ndim == 5 and case["channels_first"] else x for x in arrays]


def weights_of(case: dict[str, Any], when: str = "weight") -> list[np.ndarray]:
    return [golden()[f"{case['name']}/{when}_{index}"] for index in range(case["weights"])]


def symbolic_call(case: dict[str, Any]) -> tuple[Any, list[Any], Any]:
    """A new layer with the recorded weights, symbolic inputs, and its output for them."""
    layer = nb3d.layers.deserialize(case["config"])
    symbols = [nb3d.Input(batch_shape=x.shape) for x in inputs_of(case)]
    tensors = [nb3d.layers.Masking()(x) for x in symbols] if case["masked"] else symbols
    output = layer(tensors if len(tensors) > 1 else tensors[0], **case["call"])
    layer.set_weights(weights_of(case))
    return layer, symbols, output


@pytest.mark.parametrize("name", CASES)
def test_the_plan_computes_what_keras_does(name: str) -> None:
    case = CASES[name]
    _, symbols, output = symbolic_call(case)
    expected = golden()[f"{name}/output"]
    assert output.shape == expected.shape
    assert output.dtype == "float32"
    (value,) = nb3d.function(symbols, [output])(inputs_of(case))
    np.testing.assert_allclose(value, expected, **TOLERANCE)


@pytest.mark.parametrize("name", [name for name in CASES if not CASES[name]["masked"]])
def test_a_call_on_arrays_computes_what_keras_does(name: str) -> None:
    case = CASES[name]
    layer, _, _ = symbolic_call(case)
    arrays = inputs_of(case)
    value = layer(arrays if len(arrays) > 1 else arrays[0], **case["call"])
    np.testing.assert_allclose(value, golden()[f"{name}/output"], **TOLERANCE)
    if case["call"].get("training"):
        for weight, expected in zip(layer.get_weights(), weights_of(case, "after"), strict=True):
            np.testing.assert_allclose(weight, expected, **TOLERANCE)


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name]["call"].get("training")])
def test_the_updates_leave_the_weights_that_training_in_keras_leaves(name: str) -> None:
    case = CASES[name]
    layer, symbols, output = symbolic_call(case)
    if layer.trainable:
        nb3d.function(symbols, [output], updates=layer.updates)(inputs_of(case))
    for weight, expected in zip(layer.get_weights(), weights_of(case, "after"), strict=True):
        np.testing.assert_allclose(weight, expected, **TOLERANCE)


def test_every_layer_has_a_recorded_case() -> None:
    recorded = {case["config"]["class_name"] for case in CASES.values()}
    existing = {thing.__name__ for thing in vars(nb3d.layers).values() if isinstance(thing, type)}
    assert existing - recorded == {"Layer", "InputLayer", "InputSpec", "Lambda", "InstanceNormalization"}
