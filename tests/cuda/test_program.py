"""Programs: how they are kept on disk, and what a launch checks."""

from __future__ import annotations

import errno
import os
from importlib import metadata

import numpy as np
import pytest

from nb3d.kernels import folders
from nb3d.kernels.cuda import program as programs
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import launch, recording
from nb3d.kernels.cuda.program import Program, program

ITEM = program("strided", ("float32[]", "int64"), 64, op="copy")
PTX = ".visible .entry {name}(\n)"


@pytest.fixture
def compiled(monkeypatch, tmp_path):
    """How often something was compiled, with a folder of its own; every compilation names its entry anew."""
    counts = {"ptx": 0, "code": 0}

    def compile_one(self):
        counts["ptx"] += 1
        return PTX.format(name=f"kernel_{counts['ptx']}").encode()

    monkeypatch.setattr(Program, "_compile", compile_one)
    monkeypatch.setattr(programs, "folder", lambda: tmp_path)
    return counts


def code_of(counts, architecture="sm_80"):
    def assemble(ptx):
        counts["code"] += 1
        return b"code\n\0 of " + ptx.encode()

    return ITEM.machine_code(architecture, assemble)


def test_a_program_is_compiled_once_and_assembled_once_per_architecture(compiled):
    first = code_of(compiled)
    assert first == ("kernel_1", b"code\n\0 of " + PTX.format(name="kernel_1").encode())
    assert code_of(compiled) == first
    code_of(compiled, "sm_90a")
    assert compiled == {"ptx": 1, "code": 2}


def test_code_that_another_process_made_keeps_its_own_entry(compiled, tmp_path):
    code_of(compiled)
    (path,) = tmp_path.glob("*.ptx")
    path.unlink()  # as if another process had replaced it
    ITEM.ptx()
    assert code_of(compiled)[0] == "kernel_1"


def test_damaged_code_is_made_again(compiled, tmp_path):
    code_of(compiled)
    (path,) = tmp_path.glob("*.sm_80")
    path.write_bytes(path.read_bytes()[:-1])
    code_of(compiled)
    assert compiled == {"ptx": 1, "code": 2}


def test_code_of_every_architecture_is_listed_and_cleared(compiled, monkeypatch, tmp_path):
    place = tmp_path / ("0" * 20)
    monkeypatch.setattr(programs, "folder", lambda: place)
    for architecture in ("sm_80", "sm_90a"):
        code_of(compiled, architecture)
    (place / f"{ITEM.name}.sm_80.tmp.a_1x").write_bytes(b"what a process left that was stopped")
    (found,) = folders.folders(tmp_path)
    assert found.files == 4
    assert folders.clear(tmp_path) == [found]
    assert not place.exists()
    code_of(compiled)
    assert compiled == {"ptx": 2, "code": 3}
    code_of(compiled)
    assert compiled == {"ptx": 2, "code": 3}  # the folder is there again


def test_a_full_disk_is_one_warning_and_code(compiled, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    folders._warn.cache_clear()
    with pytest.warns(RuntimeWarning, match="cannot be kept") as told:
        assert code_of(compiled)[0] == "kernel_1"
    assert len(told) == 1


def test_the_folder_says_which_compilers_fill_it(monkeypatch, tmp_path):
    monkeypatch.setenv("NB3D_CACHE_DIR", str(tmp_path))
    versions = {"numba-cuda": "0.30.1", "llvmlite": "0.45.0"}

    def version(package):
        if package not in versions:
            raise metadata.PackageNotFoundError(package)
        return versions[package]

    monkeypatch.setattr(metadata, "version", version)
    compilers = programs.compilers.__wrapped__()
    assert dict(compilers) == versions
    folders.folder.__wrapped__(compilers)
    (found,) = folders.folders(tmp_path)
    assert versions.items() <= found.versions.items()


def test_without_a_folder_everything_is_made_anew(compiled, monkeypatch):
    monkeypatch.setattr(programs, "folder", lambda: None)
    code_of(compiled)
    code_of(compiled)
    assert compiled == {"ptx": 2, "code": 2}


def test_variants_have_names_of_their_own():
    assert ITEM.name != program("strided", ("float32[]", "int64"), 64, op="add").name
    assert ITEM.name == program("strided", ("float32[]", "int64"), 64, op="copy").name


def test_a_launch_outside_a_plan_is_refused():
    with pytest.raises(RuntimeError, match="only run inside a plan"):
        launch(ITEM, (1,), Array(0, (0,), np.dtype("float32")), 1)


@pytest.mark.parametrize(
    ("grid", "arguments", "error", "words"),
    [
        ((0,), (None, 1), ValueError, "a grid of .0, 1, 1. blocks"),
        ((1, 70000), (None, 1), ValueError, "is not between 1 and"),
        ((1,), (None,), TypeError, "2 arguments expected, got 1"),
        ((1,), (Array(0, (0,), np.dtype("float64")), 1), TypeError, "an array of float32 expected, got float64"),
    ],
)
def test_a_wrong_launch_is_refused(grid, arguments, error, words):
    with recording(lambda item: None), pytest.raises(error, match=words):
        launch(ITEM, grid, *arguments)


def test_a_part_of_an_array_lies_inside():
    array = Array(1024, (4, 8), np.dtype("float32"))
    assert array.part(64, (2, 8), "float32").address == 1088
    with pytest.raises(ValueError, match="do not lie in an array of 128 bytes"):
        array.part(64, (17,), "float32")
