"""Safetensors files whose header lies."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d.saving import ModelFileError
from tests.saving.craft import refusal, small_model


def saved(folder: Path) -> Path:
    path = folder / "small.safetensors"
    small_model().save(path)
    return path


def split(path: Path) -> tuple[Any, bytes]:
    """Header and values."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def join(path: Path, header: Any, values: bytes) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)
    return path


def changed(folder: Path, change: Callable[[Any], Any]) -> Path:
    header, values = split(saved(folder))
    change(header)
    return join(folder / "small.safetensors", header, values)


def entry(name: str, **values: Any) -> Callable[[Any], Any]:
    return lambda header: header[name].update(values)


HEADERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "another shape": (entry("conv/kernel", shape=[3, 3, 3, 2, 1]), "layer 'conv'"),
    "a larger shape": (entry("conv/kernel", shape=[3, 3, 3, 1, 2**40]), "not all there"),
    "a shape that overflows": (entry("conv/kernel", shape=[2**62, 2**62]), "not all there"),
    "a negative size": (entry("conv/kernel", shape=[-1, 54]), "whole numbers"),
    "a size that is a boolean": (entry("conv/kernel", shape=[True, 54]), "whole numbers"),
    "a shape that is none": (entry("conv/kernel", shape="wide"), "whole numbers"),
    "another dtype": (entry("conv/kernel", dtype="I32"), "another dtype"),
    "a dtype of another size": (entry("conv/kernel", dtype="F64"), "not all there"),
    "a dtype that nobody reads": (entry("conv/kernel", dtype="BF16"), "dtype is not read"),
    "a dtype that is a list": (entry("conv/kernel", dtype=["F32"]), "dtype is not read"),
    "offsets that overlap": (entry("conv/bias", data_offsets=[0, 8]), "overlap"),
    "offsets beyond the end": (entry("head/bias", data_offsets=[2**40, 2**40 + 12]), "gap"),
    "offsets the wrong way": (entry("conv/bias", data_offsets=[224, 216]), "not all there"),
    "one offset": (entry("conv/bias", data_offsets=[216]), "not all there"),
    "a key more": (entry("conv/bias", path="/etc/passwd"), "describes no array"),
    "an entry that is none": (lambda header: header.update({"conv/bias": 3}), "describes no array"),
    "metadata that is none": (lambda header: header.update({"__metadata__": 3}), "__metadata__"),
    "metadata of numbers": (lambda header: header["__metadata__"].update(config=3), "__metadata__"),
    "a configuration that is none": (lambda header: header["__metadata__"].update(config="{"), "config"),
    "a later version": (lambda header: header["__metadata__"].update(keras_version="9.0"), "keras_version"),
    "no configuration": (lambda header: header.pop("__metadata__"), "weights alone"),
}


@pytest.mark.parametrize(("change", "said"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_lies_is_refused(change: Callable[[Any], Any], said: str, tmp_path: Path) -> None:
    assert said in refusal(changed(tmp_path, change))


def test_a_file_that_was_only_read_and_written_is_sound(tmp_path: Path) -> None:
    assert nb3d.models.load_model(changed(tmp_path, lambda header: None)).name == "small"


@pytest.mark.parametrize("tail", [b"x", bytes(1000)])
def test_bytes_behind_the_values_are_refused(tail: bytes, tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes() + tail)
    assert "the length differs" in refusal(path)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(share: float, tmp_path: Path) -> None:
    path = saved(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refusal(path)


@pytest.mark.parametrize("length", [0, 2**31, 2**40, 2**63, 2**64 - 1])
def test_a_header_longer_than_the_file_is_refused(length: int, tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    refusal(path)


@pytest.mark.parametrize("text", [b"{", b'{"a": NaN}', b"{" + b'"a":{' * 500 + b"}" * 501, b'{"a": 1, "a": 1}', b"{}x"])
def test_a_header_that_is_no_json_is_refused(text: bytes, tmp_path: Path) -> None:
    assert "header" in refusal(join(tmp_path / "model.safetensors", text, b""))


def test_missing_and_extra_weights_are_listed(tmp_path: Path) -> None:
    def change(header: Any) -> None:
        header["tail/bias"] = header.pop("head/bias")

    message = refusal(changed(tmp_path, change))
    assert "missing: head/bias of 'head'" in message
    assert "extra: tail/bias" in message


def test_weights_beyond_the_budget_are_refused_before_they_exist(tmp_path: Path) -> None:
    assert "max_bytes" in refusal(saved(tmp_path), max_bytes=100)


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    header, values = split(saved(tmp_path))
    array = np.frombuffer(values, "<f4").copy()
    array[3] = np.nan
    assert "1 of 54 values are NaN" in refusal(join(tmp_path / "small.safetensors", header, array.tobytes()))


def test_code_in_the_configuration_is_refused_here_too(tmp_path: Path) -> None:
    def change(header: Any) -> None:
        config = json.loads(header["__metadata__"]["config"])
        code = {"name": "conv", "function": ["code", None, None]}
        config["config"]["layers"][1].update(class_name="Lambda", config=code)
        header["__metadata__"]["config"] = json.dumps(config)

    assert "lambda" in refusal(changed(tmp_path, change))


def test_the_package_safetensors_agrees_with_the_format(tmp_path: Path) -> None:
    package = pytest.importorskip("safetensors.numpy", reason="the package safetensors is not installed")
    path = saved(tmp_path)
    theirs = package.load_file(path)
    model = nb3d.models.load_model(path)
    np.testing.assert_array_equal(theirs["conv/kernel"], model.get_layer("conv").kernel.numpy())
    assert len(theirs) == 8
    weights = tmp_path / "theirs.safetensors"
    package.save_file({name: array + 1 for name, array in theirs.items()}, weights)
    model.load_weights(weights)
    np.testing.assert_array_equal(model.get_layer("conv").kernel.numpy(), theirs["conv/kernel"] + 1)


def test_another_dtype_of_a_model_is_stored(tmp_path: Path) -> None:
    x = nb3d.Input((3,), dtype="float64")
    model = nb3d.Model(x, nb3d.layers.Dense(2, dtype="float64")(x))
    model.save(tmp_path / "model.safetensors")
    copy = nb3d.models.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(copy.get_weights()[0], model.get_weights()[0])
    x = nb3d.Input((3,), dtype="float32")
    other = nb3d.Model(x, nb3d.layers.Dense(2, name=model.layers[1].name)(x))
    with pytest.raises(ModelFileError, match="another dtype"):
        other.load_weights(tmp_path / "model.safetensors")
