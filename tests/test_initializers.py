"""Initializers: names, configurations, and the distributions that they promise."""

import json
import math
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import initializers

KERNEL = (3, 3, 3, 16, 24)
FAN_IN, FAN_OUT = 27 * 16, 27 * 24


@pytest.mark.parametrize("name", initializers.INITIALIZERS.names())
def test_every_name_makes_an_initializer_that_survives_json(name: str) -> None:
    initializer = initializers.get(name)
    shape = (4, 4)
    values = initializer(shape, dtype="float64")
    assert values.shape == shape
    assert values.dtype == np.float64
    assert initializer(shape).dtype == np.float32
    stored = json.loads(json.dumps(initializers.serialize(initializer)))
    again = initializers.deserialize(stored)
    assert type(again) is type(initializer)
    assert initializers.serialize(again) == stored


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / (FAN_IN + FAN_OUT)),
        ("glorot_normal", 2 / (FAN_IN + FAN_OUT)),
        ("he_uniform", 2 / FAN_IN),
        ("he_normal", 2 / FAN_IN),
        ("lecun_uniform", 1 / FAN_IN),
        ("lecun_normal", 1 / FAN_IN),
        ({"class_name": "VarianceScaling", "config": {"mode": "fan_out", "scale": 3.0}}, 3 / FAN_OUT),
        ({"class_name": "VarianceScaling", "config": {"distribution": "untruncated_normal"}}, 1 / FAN_IN),
        ("random_normal", 0.05**2),
        ("random_uniform", 0.1**2 / 12),
        ("truncated_normal", (0.05 * 0.87962566) ** 2),
    ],
    ids=str,
)
def test_the_variance_is_the_promised_one(name: Any, variance: float) -> None:
    nb3d.utils.set_random_seed(1)
    values = initializers.get(name)(KERNEL, dtype="float64")
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    np.testing.assert_allclose(values.var(), variance, rtol=0.05)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("glorot_uniform", math.sqrt(6 / (FAN_IN + FAN_OUT))),
        ("he_uniform", math.sqrt(6 / FAN_IN)),
        ("lecun_uniform", math.sqrt(3 / FAN_IN)),
        ("random_uniform", 0.05),
        ("truncated_normal", 0.1),
    ],
)
def test_values_stay_within_the_limit_and_reach_it(name: str, limit: float) -> None:
    values = np.abs(initializers.get(name)(KERNEL))
    assert 0.98 * limit < values.max() <= limit * (1 + 1e-6)


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (2, 3, 8)], ids=str)
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    matrix = initializers.Orthogonal(gain=2.0)(shape, dtype="float64").reshape(-1, shape[-1])
    product = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_constants() -> None:
    np.testing.assert_array_equal(initializers.Constant([1, 2])((3, 2)), [[1, 2]] * 3)
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    np.testing.assert_array_equal(initializers.get(np.array([1.0, 2.0]))((2,)), [1, 2])


def test_a_seed_gives_the_same_values_at_every_call() -> None:
    seeded = initializers.HeNormal(seed=3)
    np.testing.assert_array_equal(seeded((5,)), seeded((5,)))
    assert not np.array_equal(initializers.HeNormal()((5,)), initializers.HeNormal()((5,)))


def test_the_seed_of_the_program_governs_those_without_one() -> None:
    def values() -> np.ndarray:
        nb3d.utils.set_random_seed(11)
        return np.asarray(initializers.GlorotNormal()((5,)))

    np.testing.assert_array_equal(values(), values())


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: initializers.VarianceScaling(scale=0), "scale"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode"),
        (lambda: initializers.VarianceScaling(distribution="flat"), "distribution"),
        (lambda: initializers.RandomNormal(seed="abc"), "seed"),
        (lambda: initializers.Orthogonal()((3,)), "Orthogonal"),
        (lambda: initializers.Identity()((3,)), "Identity"),
        (lambda: initializers.get({"class_name": "Zeros", "config": {"colour": 1}}), "Zeros"),
    ],
)
def test_wrong_arguments_are_named(make: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        make()


@pytest.mark.parametrize(
    "config",
    [
        {"class_name": "Zeros", "config": {"dtype": "float32"}},
        {"class_name": "VarianceScaling", "config": {"distribution": "normal", "dtype": "float32", "seed": None}},
        {
            "module": "keras.initializers",
            "class_name": "HeNormal",
            "registered_name": None,
            "config": {"seed": {"class_name": "SeedGenerator", "config": {"name": "s", "seed": 3}}},
        },
    ],
    ids=["Keras 2", "Keras 1.4", "Keras 3"],
)
def test_other_spellings_are_read(config: dict[str, Any]) -> None:
    assert initializers.get(config)((2, 2)).shape == (2, 2)


def test_older_code_passes_partition_info() -> None:
    assert initializers.Ones()((1,), dtype="float32", partition_info=None).tolist() == [1.0]
