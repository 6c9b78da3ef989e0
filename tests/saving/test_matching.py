"""Weights alone: by order, by name, and where they do not fit."""

import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nb3d
from nb3d.saving import ModelFileError
from tests.saving.networks import randomize

layers = nb3d.layers


def network(units: int = 3, last: str = "head", bias: bool = True) -> Any:
    x = nb3d.Input((4,), name="x")
    y = layers.Dense(units, name="body")(x)
    return nb3d.Model(x, layers.Dense(2, name=last, use_bias=bias)(y))


def saved(folder: Path, model: Any, ending: str = "h5") -> Path:
    """A file of a model with other values than those of a new one."""
    randomize(model, seed=9)
    path = folder / f"saved.{ending}"
    (model.save_weights if ending == "weights.h5" else model.save)(path)
    return path


def arrays(model: Any) -> dict[str, np.ndarray]:
    named = [(layer.name, variable) for layer in model.layers for variable in layer.weights]
    return {f"{name}/{variable.name.rpartition('/')[2]}": variable.numpy() for name, variable in named}


def test_by_name_takes_the_layers_that_there_are_and_leaves_the_others(tmp_path: Path) -> None:
    source, model = network(last="other"), network()
    before = arrays(model)
    model.load_weights(saved(tmp_path, source), by_name=True)
    np.testing.assert_array_equal(model.get_layer("body").kernel.numpy(), source.get_layer("body").kernel.numpy())
    np.testing.assert_array_equal(model.get_layer("head").kernel.numpy(), before["head/kernel"])


def test_by_name_is_told_from_by_order(tmp_path: Path) -> None:
    x = nb3d.Input((4,))
    model = nb3d.Model(x, layers.Dense(4, name="b")(layers.Dense(4, name="a")(x)))
    x = nb3d.Input((4,))
    turned = nb3d.Model(x, layers.Dense(4, name="a")(layers.Dense(4, name="b")(x)))
    path = saved(tmp_path, model)
    turned.load_weights(path)
    np.testing.assert_array_equal(turned.get_layer("b").kernel.numpy(), model.get_layer("a").kernel.numpy())
    turned.load_weights(path, by_name=True)
    np.testing.assert_array_equal(turned.get_layer("b").kernel.numpy(), model.get_layer("b").kernel.numpy())


def test_by_name_raises_where_a_shape_or_a_count_differs(tmp_path: Path) -> None:
    path = saved(tmp_path, network(units=5))
    model = network()
    before = arrays(model)
    with pytest.raises(ModelFileError, match=r"Shape mismatch in layer #1 \(named body\).*expected \(4, 3\), got"):
        model.load_weights(path, by_name=True)
    with pytest.raises(ModelFileError, match=r"Weight count mismatch for layer #2 \(named head .*expected 1, got 2"):
        network(units=5, bias=False).load_weights(path, by_name=True)
    for name, array in arrays(model).items():
        np.testing.assert_array_equal(array, before[name])


def test_skip_mismatch_leaves_single_weights_of_a_legacy_file_with_a_warning_each(tmp_path: Path) -> None:
    source, model = network(units=5), network()
    path, before = saved(tmp_path, source), arrays(model)
    with pytest.warns(UserWarning, match="Shape mismatch") as caught:
        model.load_weights(path, skip_mismatch=True)
    assert [str(path) in str(warning.message) for warning in caught] == [True] * 3
    np.testing.assert_array_equal(model.get_layer("head").bias.numpy(), source.get_layer("head").bias.numpy())
    np.testing.assert_array_equal(model.get_layer("body").kernel.numpy(), before["body/kernel"])


def test_skip_mismatch_with_by_name_leaves_a_layer_of_another_number_of_weights(tmp_path: Path) -> None:
    source, model = network(bias=False), network()
    with pytest.warns(UserWarning, match=r"Weight count mismatch .*expected 2, got 1"):
        model.load_weights(saved(tmp_path, source), by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(model.get_layer("body").kernel.numpy(), source.get_layer("body").kernel.numpy())


def test_in_order_the_number_of_layers_must_be_the_same_even_then(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    x = nb3d.Input((4,))
    with pytest.raises(ModelFileError, match="Layer count mismatch"):
        nb3d.Model(x, layers.Dense(3)(x)).load_weights(path, skip_mismatch=True)


@pytest.mark.parametrize("ending", ["weights.h5", "keras"])
def test_skip_mismatch_leaves_whole_layers_of_a_counted_file(ending: str, tmp_path: Path) -> None:
    source, model = network(bias=False), network()
    path, before = saved(tmp_path, source, ending), arrays(model)
    with pytest.raises(ModelFileError, match="missing"):
        model.load_weights(path)
    with pytest.warns(UserWarning, match=r"Skipping 1 layers .*\['head'\]"):
        model.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(model.get_layer("body").kernel.numpy(), source.get_layer("body").kernel.numpy())
    np.testing.assert_array_equal(model.get_layer("head").kernel.numpy(), before["head/kernel"])


@pytest.mark.parametrize("ending", ["weights.h5", "keras", "h5"])
def test_nothing_is_told_where_all_fit(ending: str, tmp_path: Path) -> None:
    path = saved(tmp_path, network(), ending)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network().load_weights(path, skip_mismatch=True)


@pytest.mark.parametrize("ending", ["weights.h5", "keras", "safetensors"])
def test_by_name_is_for_files_that_name_layers(ending: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="by_name"):
        network().load_weights(saved(tmp_path, network(), ending), by_name=True)


def test_weights_that_belong_to_no_layer_are_extra(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    with h5py.File(path, "r+") as file:
        file["model_weights/top_level_model_weights"].attrs["weight_names"] = [b"scale"]
    with pytest.raises(ModelFileError, match="no layer"):
        network().load_weights(path)
