"""Self-tests: recorded in the file, replayed after loading, naming the first layer that computes something else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from nb3d.saving import ModelFileError
from tests.saving.craft import members, write
from tests.saving.networks import NETWORKS, randomize

layers = nb3d.layers


def network(size: int | None = None) -> Any:
    x = nb3d.Input((size, size, size, 2), name="scan")
    y = layers.Conv3D(3, 3, strides=2, name="first")(x)
    y = layers.BatchNormalization(name="norm")(layers.Activation("relu", name="gate")(y))
    return nb3d.Model(x, [layers.Conv3D(2, 3, name="second")(y), layers.GlobalAveragePooling3D(name="mean")(y)])


def saved(folder: Path, model: Any, ending: str = "keras") -> Path:
    randomize(model)
    path = folder / f"tested.{ending}"
    model.save(path, self_test=True)
    return path


@pytest.mark.parametrize("ending", ["keras", "h5", "safetensors"])
@pytest.mark.parametrize("size", [None, 9])
def test_a_sound_file_passes_its_self_test(size: int | None, ending: str, tmp_path: Path) -> None:
    path = saved(tmp_path, network(size), ending)
    assert nb3d.models.load_model(path, verify=True).get_layer("second").filters == 2


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_can_be_tested(name: str, tmp_path: Path) -> None:
    nb3d.models.load_model(saved(tmp_path, NETWORKS[name](nb3d)), verify=True)


def test_the_input_is_kept_small_however_large_it_is(tmp_path: Path) -> None:
    x = nb3d.Input((64, 64, 64, 1))
    model = nb3d.Model(x, layers.AveragePooling3D(8)(x))
    with_test, without = saved(tmp_path, model), tmp_path / "plain.keras"
    model.save(without)
    assert with_test.stat().st_size - without.stat().st_size < 10_000


def flip(kernel: Any) -> None:
    kernel.assign(kernel.numpy()[::-1])


@pytest.mark.parametrize(
    ("change", "layer"),
    [
        (lambda model: model.get_layer("first").bias.assign_add(0.01), "first"),
        (lambda model: model.get_layer("norm").moving_variance.assign(np.full(3, 2.0)), "norm"),
        (lambda model: flip(model.get_layer("second").kernel), "second"),
    ],
)
def test_the_first_layer_that_computes_something_else_is_named(change: Any, layer: str, tmp_path: Path) -> None:
    model = network(9)
    path = saved(tmp_path, model)
    change(model)
    model.save(tmp_path / "changed.keras")
    content = members(tmp_path / "changed.keras") | {"self_test.json": members(path)["self_test.json"]}
    write(tmp_path / "changed.keras", content)
    nb3d.models.load_model(tmp_path / "changed.keras")
    with pytest.raises(ModelFileError, match=f"layer '{layer}': self-test: the self-test fails"):
        nb3d.models.load_model(tmp_path / "changed.keras", verify=True)


def test_rounding_is_not_held_against_a_model(tmp_path: Path) -> None:
    path = saved(tmp_path, network(9))
    content = members(path)
    recorded = json.loads(content["self_test.json"])
    for outputs in recorded["layers"].values():
        for statistics in outputs:
            statistics[:] = [value * (1 + 1e-5) for value in statistics]
    write(path, {**content, "self_test.json": json.dumps(recorded).encode()})
    nb3d.models.load_model(path, verify=True)


def test_a_file_without_a_self_test_cannot_be_verified(tmp_path: Path) -> None:
    network().save(tmp_path / "plain.keras")
    with pytest.raises(ModelFileError, match=r"no self-test.*self_test=True"):
        nb3d.models.load_model(tmp_path / "plain.keras", verify=True)


def noisy(x: Any) -> Any:
    return layers.Dropout(0.5, name="odd")(x, training=True)


def infinite(x: Any) -> Any:
    return layers.Lambda(overflowing, name="odd")(x)


def overflowing(x: Any) -> Any:
    return ops.exp(x * 0.0 + 1000.0)


@pytest.mark.parametrize("make", [noisy, infinite])
def test_what_cannot_be_tested_is_said_and_nothing_is_written(make: Any, tmp_path: Path) -> None:
    x = nb3d.Input((4,))
    with pytest.raises(ModelFileError, match="layer 'odd'"):
        nb3d.Model(x, make(x)).save(tmp_path / "model.keras", self_test=True)
    assert list(tmp_path.iterdir()) == []


DAMAGED = {
    "no json": b"{",
    "a list": b"[]",
    "another kind": b'{"version": 2, "inputs": [], "layers": {}}',
    "nothing in it": b'{"version": 1}',
    "no inputs": b'{"version": 1, "inputs": [], "layers": {}}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_self_test_is_refused(content: bytes, tmp_path: Path) -> None:
    path = saved(tmp_path, network(9))
    write(path, {**members(path), "self_test.json": content})
    with pytest.raises(ModelFileError, match="self-test"):
        nb3d.models.load_model(path, verify=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shape", [1, 2**40, 9, 9, 2]),
        ("shape", [2**20, 9, 9, 9, 2]),
        ("block", [1, 8, 8, 8, 3]),
        ("block", [1, 0, 8, 8, 2]),
        ("block", [1, 8.0, 8, 8, 2]),
        ("values", "AAAA"),
        ("values", "not base64!"),
        ("values", 3),
    ],
)
def test_a_self_test_of_another_size_is_refused_before_memory_is_taken(key: str, value: Any, tmp_path: Path) -> None:
    path = saved(tmp_path, network(9))
    content = members(path)
    recorded = json.loads(content["self_test.json"])
    recorded["inputs"][0][key] = value
    write(path, {**content, "self_test.json": json.dumps(recorded).encode()})
    with pytest.raises(ModelFileError, match="self-test"):
        nb3d.models.load_model(path, verify=True)
