"""Constraints: names, configurations, values."""

import json
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import constraints

WEIGHTS = np.array([[3.0, -0.3], [4.0, 0.4]])  # columns of norm 5 and 0.5


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("non_neg", [[3, 0], [4, 0.4]]),
        ("NonNeg", [[3, 0], [4, 0.4]]),
        ("max_norm", [[1.2, -0.3], [1.6, 0.4]]),
        (constraints.MaxNorm(1, axis=1), [[0.995037, -0.0995037], [0.995037, 0.0995037]]),
        ("unit_norm", [[0.6, -0.6], [0.8, 0.8]]),
        (constraints.MinMaxNorm(1, 2), [[1.2, -0.6], [1.6, 0.8]]),
        (constraints.MinMaxNorm(1, 2, rate=0.5), [[2.1, -0.45], [2.8, 0.6]]),
        (constraints.UnitNorm(axis=[0, 1]), WEIGHTS / np.linalg.norm(WEIGHTS)),
    ],
    ids=str,
)
def test_values(constraint: Any, expected: Any) -> None:
    found = constraints.get(constraint)
    np.testing.assert_allclose(found(WEIGHTS), expected, rtol=1e-5)
    x = nb3d.Input(batch_shape=(2, 2), dtype="float64")
    np.testing.assert_allclose(nb3d.function([x], [found(x)])([WEIGHTS])[0], expected, rtol=1e-5)


@pytest.mark.parametrize("name", constraints.CONSTRAINTS.names())
def test_configurations_survive_json(name: str) -> None:
    stored = json.loads(json.dumps(constraints.serialize(constraints.get(name))))
    again = constraints.deserialize(stored)
    assert constraints.serialize(again) == stored
