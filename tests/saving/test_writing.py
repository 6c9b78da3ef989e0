"""Writing: whole or not at all, in the formats that are written, and nothing that could not be read again."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from nb3d.saving import ModelFileError
from nb3d.saving.atomic import replacing
from tests.saving.craft import small_model

layers = nb3d.layers


def test_only_the_file_is_left_behind(tmp_path: Path) -> None:
    small_model().save(tmp_path / "model.keras")
    small_model().save_weights(tmp_path / "model.weights.h5")
    assert sorted(os.listdir(tmp_path)) == ["model.keras", "model.weights.h5"]


MOMENTS = [
    ("keras", "configuration"), ("keras", "_weights"), ("keras", "os.replace"), ("h5", "legacy_configuration"),
    ("h5", "_legacy"), ("h5", "os.replace"), ("safetensors", "named_slots"), ("safetensors", "safetensors.write"),
    ("safetensors", "os.replace"),
]  # fmt: skip


@pytest.mark.parametrize(("ending", "moment"), MOMENTS)
def test_a_save_that_fails_leaves_the_old_file(
    ending: str, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"model.{ending}"
    small_model().save(path)
    old = path.read_bytes()

    def fail(*args: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace" if moment == "os.replace" else f"nb3d.saving.writer.{moment}", fail)
    with pytest.raises(OSError, match="no space"):
        small_model().save(path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == [path.name]


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with replacing(str(tmp_path / "a")) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.listdir(tmp_path) == []


def test_a_file_is_replaced_unless_it_must_not_be(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = small_model()
    model.save(path)
    with pytest.raises(FileExistsError, match=r"model\.keras"):
        small_model().save(path, overwrite=False)
    nb3d.models.save_model(small_model(), path)
    changed = nb3d.models.load_model(path).get_layer("conv").kernel.numpy()
    assert not np.array_equal(changed, model.get_layer("conv").kernel.numpy())


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_a_symbolic_link_is_kept_and_its_target_replaced(tmp_path: Path) -> None:
    (tmp_path / "target.keras").write_bytes(b"old")
    (tmp_path / "link.keras").symlink_to("target.keras")
    small_model().save(tmp_path / "link.keras")
    assert (tmp_path / "link.keras").is_symlink()
    assert (tmp_path / "target.keras").read_bytes()[:2] == b"PK"


@pytest.mark.parametrize("name", ["model", "model.hdf", "model.tf", "model.keras.bak"])
def test_other_formats_are_not_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"expected a name that ends in \.keras, \.h5, \.hdf5, \.safetensors"):
        small_model().save(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_name_for_weights_alone_is_none_for_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="save_weights"):
        small_model().save(tmp_path / "model.weights.h5")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["weights.h5", "model.keras", "model.weights"])
def test_weights_alone_have_two_formats(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"ends in \.weights\.h5, \.safetensors"):
        small_model().save_weights(tmp_path / name)


@pytest.mark.parametrize("ending", ["keras", "h5", "safetensors"])
def test_a_folder_is_no_place_for_a_file(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"model.{ending}").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        small_model().save(tmp_path / f"model.{ending}")
    assert os.listdir(tmp_path) == [f"model.{ending}"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "model.keras"
    with pytest.raises(FileNotFoundError, match=rf"the file cannot be written.*{re.escape(str(path))}'$"):
        small_model().save(path)


def test_a_name_that_the_system_refuses_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300 + ".keras")
    with pytest.raises(OSError, match=rf"the file cannot be written.*{path.name}'$"):
        small_model().save(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", [None, 3, b"model.keras"])
def test_a_path_that_is_none(path: Any) -> None:
    with pytest.raises(TypeError, match=r"name of a file|path-like|PathLike"):
        small_model().save(path)


# ---- what a file cannot hold


def unnamed(x: Any) -> Any:
    return layers.Lambda(lambda y: y + 1, name="odd")(x)


def only_here(x: Any) -> Any:
    return ops.dropout(x, 0.5)


def with_an_argument_of_ours(x: Any) -> Any:
    return ops.relu(x, negative_slope=0.1)


class Silent(layers.Layer):
    """A layer whose configuration holds an object."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thing": object()}


def of_an_object(x: Any) -> Any:
    return Silent(name="odd")(x)


@pytest.mark.parametrize("make", [unnamed, only_here, with_an_argument_of_ours, of_an_object])
def test_what_no_file_can_hold_is_refused_with_the_layer(make: Any, tmp_path: Path) -> None:
    x = nb3d.Input((4,))
    model = nb3d.Model(x, make(x))
    with pytest.raises(ModelFileError, match=f"layer '{model.operations[-1].name}'"):
        model.save(tmp_path / "model.keras")
    assert os.listdir(tmp_path) == []


def test_a_lambda_of_a_named_function_is_written_by_that_name(tmp_path: Path) -> None:
    def brighten(x: Any) -> Any:
        return x + 1.0

    x = nb3d.Input((4,))
    nb3d.Model(x, layers.Lambda(brighten)(x)).save(tmp_path / "model.keras")
    with pytest.raises(ModelFileError, match="brighten"):
        nb3d.models.load_model(tmp_path / "model.keras")
    copy = nb3d.models.load_model(tmp_path / "model.keras", custom_objects={"brighten": brighten})
    assert copy.predict(np.zeros((1, 4)), verbose=0).tolist() == [[1, 1, 1, 1]]
