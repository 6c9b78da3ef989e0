"""Regularizers: names, configurations, values."""

import json
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import regularizers

MATRIX = np.array([[1.0, -2.0], [3.0, 0.5]])


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        ("l1", 0.065),
        ("l2", 0.1425),
        ("L2", 0.1425),
        ("l1_l2", 0.2075),
        (regularizers.l1(0.5), 3.25),
        (regularizers.l2(0.5), 7.125),
        (regularizers.l1_l2(1.0, 2.0), 35.0),
        (regularizers.L1L2(l2=1.0), 14.25),
        (regularizers.L1L2(), 0.0),
        ("L1L2", 0.0),
        (regularizers.L1, 0.065),
    ],
    ids=str,
)
def test_values(regularizer: Any, expected: float) -> None:
    found = regularizers.get(regularizer)
    np.testing.assert_allclose(found(MATRIX), expected)
    variable = nb3d.Variable(MATRIX.astype("float32"))
    np.testing.assert_allclose(nb3d.function([], [found(variable)])([])[0], expected, rtol=1e-6)


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonality(mode: str) -> None:
    rows = MATRIX if mode == "rows" else MATRIX.T
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected = 0.5 * abs(rows[0] @ rows[1])
    np.testing.assert_allclose(regularizers.OrthogonalRegularizer(0.5, mode)(MATRIX), expected)
    with pytest.raises(ValueError, match="matrix"):
        regularizers.OrthogonalRegularizer()(np.ones(3))


@pytest.mark.parametrize(
    "regularizer",
    [regularizers.L1(0.1), regularizers.L2(0.2), regularizers.L1L2(0.1, 0.2), regularizers.OrthogonalRegularizer(0.3)],
    ids=repr,
)
def test_configurations_survive_json(regularizer: Any) -> None:
    stored = json.loads(json.dumps(regularizers.serialize(regularizer)))
    again = regularizers.deserialize(stored)
    assert type(again) is type(regularizer)
    assert regularizers.serialize(again) == stored


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "much", True], ids=str)
def test_a_factor_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="l2"):
        regularizers.L2(value)


def test_a_mode_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="mode"):
        regularizers.OrthogonalRegularizer(mode="diagonal")
