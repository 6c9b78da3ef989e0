"""``.h5`` files as Keras 1, 2 and 3 wrote them: lists of names, in order, and never a guessed path."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nb3d
from nb3d.saving import ModelFileError
from tests.saving.craft import refusal
from tests.saving.networks import predictions, randomize

layers = nb3d.layers


def network() -> Any:
    """A model with a model inside, whose batch normalization stands before a convolution."""
    inner_x = nb3d.Input((4, 4, 4, 2), name="inner_x")
    y = layers.BatchNormalization(name="norm")(inner_x)
    inner = nb3d.Model(inner_x, layers.Conv3D(2, 1, name="conv")(y), name="stem")
    x = nb3d.Input((4, 4, 4, 2), name="x")
    model = nb3d.Model(x, layers.Dense(3, name="head")(layers.Dropout(0.5, name="drop")(inner(x))), name="net")
    randomize(model)
    return model


def names_of(layer: Any, keras: int) -> list[str]:
    """Names of a layer's weights, trainable ones first, as a version of Keras spells them."""
    names = []
    for variable in layer.weights:
        owner, name = variable.name.split("/")
        owner = owner.rpartition("_")[0] if owner not in ("norm", "conv", "head") else owner
        names.append(f"{owner}/{name}:0" if keras < 3 else f"{layer.name}/{owner}/{name}")
    return names


def write(
    group: Any,
    model: Any,
    keras: int = 2,
    as_names: Callable[[list[str]], Any] = lambda names: [name.encode() for name in names],
) -> None:
    """The groups and lists of a legacy file."""
    group.attrs["layer_names"] = as_names([layer.name for layer in model.layers])
    group.attrs["keras_version"] = f"{keras}.1.6"
    for layer in model.layers:
        names = names_of(layer, keras)
        part = group.create_group(layer.name)
        part.attrs["weight_names"] = as_names(names)
        for name, variable in zip(names, layer.weights, strict=True):
            part[name] = variable.numpy()


def whole(path: Path, model: Any, keras: int = 2, **options: Any) -> Path:
    """A file with configuration and weights."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = f"{keras}.1.6".encode() if keras < 3 else f"{keras}.15.1"
        file.attrs["model_config"] = model.to_json().encode() if keras < 3 else model.to_json()
        file.attrs["training_config"] = json.dumps({"loss": "nobody_has_it"})
        write(file.create_group("model_weights"), model, keras, **options)
        file.create_group("model_weights/top_level_model_weights").attrs["weight_names"] = []
        file["optimizer_weights/iteration"] = 3
    return path


def same(model: Any, other: Any) -> None:
    np.testing.assert_array_equal(predictions(model)[0], predictions(other)[0])


@pytest.mark.parametrize("keras", [2, 3])
@pytest.mark.parametrize("form", ["bytes", "text", "array of bytes", "array of objects"])
def test_a_whole_model_is_read_however_its_names_are_stored(keras: int, form: str, tmp_path: Path) -> None:
    as_names = {
        "bytes": lambda names: [name.encode() for name in names],
        "text": list,
        "array of bytes": lambda names: np.array([name.encode() for name in names]) if names else np.zeros(0),
        "array of objects": lambda names: np.array(names, dtype=object) if names else np.zeros(0),
    }[form]
    model = network()
    same(model, nb3d.models.load_model(whole(tmp_path / "model.h5", model, keras, as_names=as_names)))
    same(model, nb3d.models.load_model(whole(tmp_path / "model.hdf5", model, keras, as_names=as_names)))


def test_long_lists_are_stored_in_parts(tmp_path: Path) -> None:
    model = network()
    path = whole(tmp_path / "model.h5", model)
    with h5py.File(path, "r+") as file:
        attributes = file["model_weights"].attrs
        names = list(attributes["layer_names"])
        del attributes["layer_names"]
        attributes["layer_names0"], attributes["layer_names1"] = names[:2], names[2:]
    same(model, nb3d.models.load_model(path))


def test_names_decide_where_a_layer_inside_is_frozen_otherwise(tmp_path: Path) -> None:
    model = network()
    path = whole(tmp_path / "model.h5", model)
    with h5py.File(path, "r+") as file:
        attributes = file["model_weights/stem"].attrs
        attributes["weight_names"] = list(reversed(attributes["weight_names"]))
    same(model, nb3d.models.load_model(path))


@pytest.mark.parametrize("wrapped", [False, True])
def test_weights_alone_go_to_the_layers_in_their_order(wrapped: bool, tmp_path: Path) -> None:
    model, other = network(), network()
    for layer in other.layers:
        layer.name = f"renamed_{layer.name}"
    randomize(other, seed=5)
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        write(file.create_group("model_weights") if wrapped else file, model)
    other.load_weights(path)
    same(model, other)


def test_a_layer_may_have_a_path_as_its_name(tmp_path: Path) -> None:
    x = nb3d.Input((2,))
    model = nb3d.Model(x, layers.Dense(2, name="block/dense")(x))
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"block/dense"]
        file.create_group("block/dense").attrs["weight_names"] = [b"block/dense/kernel:0", b"block/dense/bias:0"]
        file["block/dense/block/dense/kernel:0"] = np.full((2, 2), 3, "float32")
        file["block/dense/block/dense/bias:0"] = np.zeros(2, "float32")
    model.load_weights(path)
    assert model.get_weights()[0].tolist() == [[3, 3], [3, 3]]


# ---- what is wrong


def changed(tmp_path: Path, change: Callable[[Any], Any]) -> Path:
    path = whole(tmp_path / "model.h5", network())
    with h5py.File(path, "r+") as file:
        change(file["model_weights"])
    return path


def test_layers_that_are_missing_or_extra_are_listed(tmp_path: Path) -> None:
    def change(group: Any) -> None:
        group.attrs["layer_names"] = [b"x", b"stem", b"tail"]
        group.create_group("tail").attrs["weight_names"] = [b"tail/kernel:0"]

    message = refusal(changed(tmp_path, change))
    assert "missing: ['head']" in message
    assert "extra: ['tail']" in message


@pytest.mark.parametrize("path", ["../../stem", "/etc", ".", "a//b", ""])
def test_paths_in_the_lists_stay_in_the_file(path: str, tmp_path: Path) -> None:
    def change(group: Any) -> None:
        group["stem"].attrs["weight_names"] = [path.encode()] * 6

    refusal(changed(tmp_path, change))


def test_links_in_the_groups_are_not_followed(tmp_path: Path) -> None:
    def change(group: Any) -> None:
        del group["head/head/kernel:0"]
        group["head/head/kernel:0"] = h5py.ExternalLink("/etc/passwd", "/x")

    assert "links are not followed" in refusal(changed(tmp_path, change))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda group: group.attrs.__delitem__("layer_names"), "layer_names"),
        (lambda group: group["head"].attrs.__delitem__("weight_names"), "weight_names"),
        (lambda group: group.attrs.__setitem__("layer_names", [1, 2, 3]), "layer_names"),
        (lambda group: group.attrs.__setitem__("layer_names", [b"\xff"]), "UTF-8"),
        (lambda group: group.attrs.__setitem__("layer_names", [b"head", b"head"]), "twice"),
        (lambda group: group["head"].attrs.__setitem__("weight_names", [b"head/kernel:0"]), "expected 2, got 1"),
        (lambda group: group.__delitem__("head"), "head"),
        (lambda group: group["head/head"].__delitem__("kernel:0"), "head/head/kernel:0"),
        (lambda group: group["stem/conv/kernel:0"].__setitem__((0, 0, 0, 0, 0), np.nan), "'conv'"),
    ],
)
def test_what_is_wrong_with_a_list_or_a_weight_is_named(change: Any, named: str, tmp_path: Path) -> None:
    assert named in refusal(changed(tmp_path, change))


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.8, 0.99])
def test_a_truncated_file_is_refused(share: float, tmp_path: Path) -> None:
    path = whole(tmp_path / "model.h5", network())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refusal(path)


@pytest.mark.parametrize("value", [3, [b"{}", b"{}"], np.zeros(4), b"\xff{}"])
def test_a_configuration_that_is_no_text_is_refused(value: Any, tmp_path: Path) -> None:
    path = whole(tmp_path / "model.h5", network())
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = value
    assert "model_config" in refusal(path)


def test_another_number_of_layers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        write(file, network())
    x = nb3d.Input((2,))
    with pytest.raises(ModelFileError, match="expected 1 layers with weights, got 2"):
        nb3d.Model(x, layers.Dense(2)(x)).load_weights(path)
