"""Attributes of HDF5 files whose lengths and addresses lie: the HDF5 library would believe them."""

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nb3d.saving import ModelFileError
from nb3d.saving.hdf5 import Hdf5, reading
from nb3d.saving.source import opened
from tests.saving.craft import refusal, small_model

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {
    "text": "a model",
    "bytes": np.bytes_(b"a model"),
    "names": ["scan", "köpf", ""],
    "array of bytes": np.array([b"scan", b"head"]),
    "nothing": np.zeros(0),
    "empty": "",
}


def with_file(path: Path, look: Callable[[Hdf5], Any]) -> Any:
    with opened(path) as source, reading(source.window(), source.name) as file:
        return look(file)


@pytest.mark.parametrize("libver", ["earliest", "latest", ("earliest", "v110")])
def test_all_forms_of_text_are_read_as_h5py_reads_them(libver: Any, tmp_path: Path) -> None:
    path = tmp_path / "texts.h5"
    with h5py.File(path, "w", libver=libver) as file:
        group = file.create_group("a/b")
        for name, value in TEXTS.items():
            group.attrs[name] = value
    names = with_file(path, lambda file: {name: file.names("a/b", name) for name in TEXTS})
    assert names == {
        "text": ["a model"], "bytes": ["a model"], "names": ["scan", "köpf", ""], "array of bytes": ["scan", "head"],
        "nothing": [], "empty": [""],
    }  # fmt: skip
    assert with_file(path, lambda file: file.text("a/b", "absent")) is None


def test_many_attributes_continue_elsewhere_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        for number in range(200):
            file.attrs[f"names{number}"] = [f"{number}", "x" * 300]
    assert len(with_file(path, lambda file: file.names("", "names"))) == 400


def test_attributes_outside_the_header_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "dense.h5"
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(20):
            file.attrs[f"a{number}"] = "text"
    with pytest.raises(ModelFileError, match="outside the header"):
        with_file(path, lambda file: file.text("", "a1"))


@pytest.mark.parametrize("value", [3, np.zeros(4), [b"a", b"b"], np.array([[1]])])
def test_what_is_no_single_text_is_refused(value: Any, tmp_path: Path) -> None:
    path = tmp_path / "odd.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = value
    assert "model_config" in refusal(path)


def damaged(path: Path, change: Callable[[bytearray, int, int], Any]) -> Path:
    """A file of one attribute; `change` gets its bytes, where the string's reference is, and where its heap is."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "x" * 500
    content = bytearray(path.read_bytes())
    heap = content.find(b"GCOL")
    reference = content.find(struct.pack("<IQI", 500, heap, 1))  # length, address of the heap, index in it
    assert heap > 0
    assert reference > 0
    change(content, reference, heap)
    path.write_bytes(content)
    return path


DAMAGES: dict[str, tuple[Callable[[bytearray, int, int], Any], str]] = {
    "a length of 4 GiB": (lambda c, ref, heap: struct.pack_into("<I", c, ref, 2**32 - 1), "too long"),
    "a length beyond its place": (lambda c, ref, heap: struct.pack_into("<I", c, ref, 501), "longer than its place"),
    "no such object": (lambda c, ref, heap: struct.pack_into("<I", c, ref + 12, 77), "longer than its place"),
    "a heap beyond the end": (lambda c, ref, heap: struct.pack_into("<Q", c, ref + 4, 2**60), "beyond its end"),
    "a heap that is none": (lambda c, ref, heap: struct.pack_into("<Q", c, ref + 4, 0), "heap of strings"),
    "a heap of 2 EiB": (lambda c, ref, heap: struct.pack_into("<Q", c, heap + 8, 2**61), "heap of strings"),
    "a heap of no size": (lambda c, ref, heap: struct.pack_into("<Q", c, heap + 8, 0), "heap of strings"),
    "an object of 2 EiB": (lambda c, ref, heap: struct.pack_into("<Q", c, heap + 24, 2**61), "heap of strings"),
    "an object of no step": (lambda c, ref, heap: struct.pack_into("<HxxxxxxQ", c, heap + 16 + 520, 0, 0), "heap"),
    "an object that comes twice": (lambda c, ref, heap: struct.pack_into("<H", c, heap + 16 + 520, 1), "heap"),
}


@pytest.mark.parametrize(("change", "said"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_string_is_refused_before_memory_is_taken(
    change: Callable[[bytearray, int, int], Any], said: str, tmp_path: Path
) -> None:
    assert said in refusal(damaged(tmp_path / "model.h5", change))


def test_every_byte_of_the_header_may_be_wrong(tmp_path: Path) -> None:
    """Flipped one at a time, none makes the reader do more than refuse."""
    path = damaged(tmp_path / "model.h5", lambda content, reference, heap: None)
    sound = path.read_bytes()
    start = sound.find(b"model_config") - 64
    for place in range(max(start, 0), start + 160):
        for flip in (0x01, 0x80, 0xFF):
            content = bytearray(sound)
            content[place] ^= flip
            path.write_bytes(content)
            refusal(path)


LIMITED = """
import resource, sys
import h5py, nb3d
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
try:
    nb3d.models.load_model(sys.argv[1])
except nb3d.saving.ModelFileError as error:
    print("refused", error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory")
def test_a_string_of_4_gib_is_refused_in_one(tmp_path: Path) -> None:
    path = damaged(tmp_path / "model.h5", DAMAGES["a length of 4 GiB"][0])
    ran = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, cwd=ROOT)
    assert ran.stdout.startswith("refused"), ran.stderr


def test_names_of_layers_in_a_weights_file_are_read_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["conv"]
    content = bytearray(path.read_bytes())
    heap = content.find(b"GCOL")
    struct.pack_into("<I", content, content.find(struct.pack("<IQI", 4, heap, 1)), 2**31)
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"layer_names.*too long"):
        small_model().load_weights(path)
