"""What is not a model file, or cannot be: each refused in one sentence that names it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d.saving import ModelFileError
from nb3d.saving.source import Source
from tests.saving.craft import archive, members, refusal, small_model

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "missing.keras")
    assert "there is no such file" in refusal(tmp_path / "nowhere" / "missing.h5")


def test_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "saved.keras"
    folder.mkdir()
    assert "is a folder" in refusal(folder)


def test_an_empty_file(tmp_path: Path) -> None:
    for name in ("a.keras", "a.h5"):
        (tmp_path / name).touch()
        assert "empty" in refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["model", "model.tf", "model.pkl", "model.pt", "model.keras.bak", ".keras2"])
def test_a_name_that_does_not_say_what_it_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(archive(tmp_path).read_bytes())
    assert "expected one of .keras, .h5, .hdf5" in refusal(path)


def test_a_configuration_is_pointed_to_its_own_function(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(small_model().to_json())
    assert "model_from_json" in refusal(tmp_path / "model.json")


@pytest.mark.parametrize("ending", [".keras", ".KERAS"])
def test_an_hdf5_file_that_is_called_keras_and_the_reverse(ending: str, tmp_path: Path) -> None:
    sound = archive(tmp_path)
    disguised = tmp_path / f"other{ending}"
    disguised.write_bytes(members(sound)["model.weights.h5"])
    assert "expected a .keras archive, got an HDF5 file" in refusal(disguised)
    (tmp_path / "other.h5").write_bytes(sound.read_bytes())
    assert "expected an HDF5 file, got a .keras archive" in refusal(tmp_path / "other.h5")
    (tmp_path / "text.h5").write_text("no model at all")
    assert "got neither" in refusal(tmp_path / "text.h5")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.keras")
    assert "no regular file" in refusal(tmp_path / "pipe.keras")


@pytest.mark.parametrize("path", ["a\0b.keras", "x" * 5000 + ".keras"])
def test_a_name_that_no_file_can_have(path: str) -> None:
    with pytest.raises(ModelFileError, match="cannot be opened"):
        nb3d.models.load_model(path)


@pytest.mark.parametrize("path", [None, 3, b"model.keras", ["model.keras"]])
def test_a_path_that_is_none(path: Any) -> None:
    with pytest.raises(TypeError):
        nb3d.models.load_model(path)


def test_custom_objects_that_are_no_mapping(tmp_path: Path) -> None:
    path = archive(tmp_path)
    for function in (nb3d.models.load_model, nb3d.saving.verify_file):
        with pytest.raises(TypeError, match=r"custom_objects must be a mapping.*\['Scale'\]"):
            function(path, custom_objects=["Scale"])


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path)
    model, check = small_model(), Source.check_unchanged
    before = model.get_weights()

    def meanwhile(source: Source) -> None:
        os.utime(path, ns=(0, 0))
        check(source)

    monkeypatch.setattr(Source, "check_unchanged", meanwhile)
    with pytest.raises(ModelFileError, match="changed while it was read"):
        model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_without_h5py_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    for action in (lambda: nb3d.models.load_model(path), lambda: small_model().save(tmp_path / "new.keras")):
        with pytest.raises(ImportError, match=r'pip install "nb3d\[hdf5\]"'):
            action()
    assert not (tmp_path / "new.keras").exists()


def test_it_is_one_family_of_exceptions_and_they_are_value_errors() -> None:
    assert issubclass(ModelFileError, ValueError)
    error = ModelFileError("it is wrong", file="f", layer="l", key="k", expected=1, got=2)
    assert str(error) == "f: layer 'l': k: it is wrong: expected 1, got 2"
    assert (error.file, error.layer, error.key, error.expected, error.got) == ("f", "l", "k", 1, 2)


def test_a_message_prints_whatever_the_file_and_its_names_are() -> None:
    error = ModelFileError("wrong", file="caf\udce9.keras", key="a\x1b[2Jb", got="é\n  shown")
    assert str(error) == "caf\\udce9.keras: a\\x1b[2Jb: wrong: got é\n  shown"
    str(error).encode()


def test_a_model_of_unknown_input_shape_has_no_weights_to_load_or_save(tmp_path: Path) -> None:
    model = nb3d.Sequential([nb3d.layers.Dense(2)])
    with pytest.raises(ModelFileError, match="build"):
        model.load_weights(archive(tmp_path))
    with pytest.raises(ModelFileError, match="build"):
        model.save(tmp_path / "unbuilt.keras")


# Loading touches nothing but the file: no process, no network, no temporary file, no code from the file.
WATCHED = """
import sys
import h5py, numpy, zipfile, nb3d
model = nb3d.models.load_model(sys.argv[1])  # once unwatched, so that everything is imported
FORBIDDEN = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.", "tempfile.", "marshal.",
             "pickle.", "import", "exec", "compile", "os.remove", "os.rename", "os.mkdir", "shutil.", "ctypes.")
def watch(event, arguments):
    if event.startswith(FORBIDDEN):
        raise RuntimeError(f"{event} {arguments}")
    if event == "open" and (str(arguments[0]) != sys.argv[1] or arguments[1] != "r"):
        raise RuntimeError(f"{event} {arguments}")
sys.addaudithook(watch)
nb3d.models.load_model(sys.argv[1])
model.load_weights(sys.argv[1])
print("quiet")
"""


@pytest.mark.parametrize("path", ["tests/models/vnet/model.keras", "tests/models/vnet/model.h5"])
def test_loading_touches_nothing_but_the_file(path: str) -> None:
    ran = subprocess.run([sys.executable, "-c", WATCHED, path], capture_output=True, text=True, cwd=ROOT)
    assert ran.stdout == "quiet\n", ran.stderr


LIMITED = """
import resource, sys
import h5py, nb3d
limit = 2 * 2**30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    nb3d.models.load_model(sys.argv[1])
except nb3d.saving.ModelFileError as error:
    print("refused", error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory")
@pytest.mark.parametrize("kind", ["units", "inflated", "text"])
def test_a_bomb_is_refused_in_little_memory(kind: str, tmp_path: Path) -> None:
    path = archive(tmp_path)
    content = members(path)
    if kind == "units":
        content["config.json"] = content["config.json"].replace(b'"units": 3', b'"units": 1000000000000')
    elif kind == "inflated":
        content["model.weights.h5"] += bytes(2**30)
    else:
        content["config.json"] = b"[" * 60_000_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, data in content.items():
            file.writestr(name, data)
    ran = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, cwd=ROOT)
    assert ran.stdout.startswith("refused"), ran.stderr
