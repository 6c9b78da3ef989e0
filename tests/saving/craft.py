"""Model files with one thing wrong in them."""

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import pytest

import nb3d
from nb3d.saving import ModelFileError

layers = nb3d.layers


def small_model() -> Any:
    x = nb3d.Input((4, 4, 4, 1), name="scan")
    y = layers.BatchNormalization(name="norm")(layers.Conv3D(2, 3, name="conv")(x))
    return nb3d.Model(x, layers.Dense(3, name="head")(y), name="small")


def members(path: Path) -> dict[str, bytes]:
    """The content of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, content: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """An archive of that content."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def archive(folder: Path, change: Callable[[dict[str, bytes]], Any] | None = None) -> Path:
    """A sound ``.keras`` file of `small_model`, its members changed."""
    path = folder / "small.keras"
    small_model().save(path)
    content = members(path)
    if change is not None:
        change(content)
    return write(path, content)


def with_config(folder: Path, change: Callable[[Any], Any]) -> Path:
    """A ``.keras`` file with another configuration: what `change` makes of the sound one, or returns."""

    def changed(content: dict[str, bytes]) -> None:
        config = json.loads(content["config.json"])
        result = change(config)
        text = result if isinstance(result, str) else json.dumps(config)
        content["config.json"] = text.encode()

    return archive(folder, changed)


def with_weights(folder: Path, change: Callable[[h5py.File], Any]) -> Path:
    """A ``.keras`` file whose HDF5 file was changed."""

    def changed(content: dict[str, bytes]) -> None:
        stream = BytesIO(content["model.weights.h5"])
        with h5py.File(stream, "r+") as file:
            change(file)
        content["model.weights.h5"] = stream.getvalue()

    return archive(folder, changed)


def layer_of(config: Any, name: str) -> Any:
    """The entry of a layer."""
    return next(entry for entry in config["config"]["layers"] if entry["name"] == name)


def refusal(path: Path, **options: Any) -> str:
    """The message with which a file is refused; it names the file."""
    with pytest.raises(ModelFileError) as caught:
        nb3d.models.load_model(path, **options)
    assert str(caught.value).startswith(str(path))
    return str(caught.value)
