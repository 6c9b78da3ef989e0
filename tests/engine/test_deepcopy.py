"""``copy.deepcopy(layer)``: what is shared with the original, and what is its own."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import nb3d
from tests.engine.helpers import Scale, count, same_objects

layers = nb3d.layers


def test_a_copy_has_the_same_class_name_and_configuration() -> None:
    layer = layers.Conv3D(2, 3, padding="same", kernel_regularizer="l2", name="stem")
    copy = deepcopy(layer)
    assert copy is not layer
    assert type(copy) is layers.Conv3D
    assert copy.name == "stem"
    assert copy.get_config() == layer.get_config()


def test_an_automatic_name_is_copied_too_and_uses_up_no_number() -> None:
    nb3d.utils.clear_session()
    layer = layers.Dense(2)
    assert deepcopy(layer).name == layer.name == "dense"
    assert layers.Dense(2).name == "dense_1"


def test_a_copy_belongs_to_the_same_graph() -> None:
    layer = layers.Dense(2)
    assert deepcopy(layer).graph is layer.graph


def test_attributes_are_copied_deeply() -> None:
    layer = layers.Dense(2)
    layer.table = {"levels": [1, 2, 3]}
    layer.array = count((3,))
    copy = deepcopy(layer)
    copy.table["levels"].append(4)
    copy.array[0] = 9.0
    assert layer.table == {"levels": [1, 2, 3]}
    assert layer.array[0] == 0.0


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x, x]], ids=["tensor", "list of tensors"])
def test_attributes_that_are_tensors_are_shared(wrap: Any) -> None:
    layer = layers.Dense(2)
    layer.kept = wrap(nb3d.Input((3,)))
    copy = deepcopy(layer)
    if isinstance(layer.kept, list):
        assert same_objects(copy.kept, layer.kept)
    else:
        assert copy.kept is layer.kept


def test_a_copy_is_configured_by_itself() -> None:
    layer = layers.Dense(2, kernel_constraint="max_norm")
    copy = deepcopy(layer)
    copy.trainable = False
    assert layer.trainable is True
    assert copy.kernel_constraint is not layer.kernel_constraint


def test_an_unbuilt_copy_builds_by_itself() -> None:
    layer = layers.Dense(2)
    copy = deepcopy(layer)
    copy(nb3d.Input((3,)))
    assert copy.built
    assert not layer.built
    assert list(layer.weights) == []


@pytest.mark.parametrize("layer", [layers.Dense(2), Scale()], ids=lambda layer: type(layer).__name__)
def test_a_built_copy_has_the_same_values_in_its_own_variables(layer: Any) -> None:
    array = count((2, 3))
    expected = layer(array)
    copy = deepcopy(layer)
    assert copy.built
    assert len(copy.weights) == len(layer.weights)
    assert not any(a is b for a, b in zip(copy.weights, layer.weights, strict=True))
    np.testing.assert_array_equal(copy(array), expected)
    copy.set_weights([weight * 0 + 3 for weight in copy.get_weights()])
    np.testing.assert_array_equal(layer(array), expected)
    assert not np.array_equal(copy(array), expected)


def test_the_variables_of_a_copy_keep_their_order_and_partition() -> None:
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    copy = deepcopy(layer)
    assert [weight.name for weight in copy.weights] == [weight.name for weight in layer.weights]
    assert len(copy.trainable_weights) == len(copy.non_trainable_weights) == 2
    assert copy.gamma is copy.weights[0]
