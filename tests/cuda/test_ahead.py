"""Kernels compiled by several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nb3d.kernels import compiling, folders
from nb3d.kernels.cuda import ahead
from nb3d.kernels.cuda.program import program
from nb3d.kernels.cuda.strides import map_program
from tests.cuda.wheels import needed

WANTED = [map_program(op, ("float32",), "float32", 1) for op in ("abs", "negative", "square")]
SCRIPT = """
import nb3d
x = nb3d.Input((2, 2, 2, 3))
model = nb3d.Model(x, nb3d.layers.GlobalAveragePooling3D()(nb3d.ops.cumsum(nb3d.layers.Softmax()(x), axis=1)))
print(nb3d.warmup(model, device="cuda", architecture="sm_80").compiled)
"""


@pytest.fixture
def place(monkeypatch, tmp_path):
    monkeypatch.setenv("NB3D_CACHE_DIR", str(tmp_path))
    folders.folder.cache_clear()
    yield tmp_path
    folders.folder.cache_clear()


@needed
def test_what_is_not_there_is_compiled_and_counted(place):
    before = compiling.count()
    ahead.compile_all(WANTED[:1], ["sm_80"])
    assert ahead.compile_all(WANTED, ["sm_80", "sm_120"], processes=2) == 5
    assert len(list(place.glob("*/*.sm_80"))) == len(list(place.glob("*/*.sm_120"))) == 3
    count = compiling.count().since(before)
    assert (count.compiled, count.found) == (6, 1)
    assert count.seconds > 0
    assert ahead.compile_all(WANTED, ["sm_80"]) == 0


@needed
def test_a_script_that_says_nothing_of_its_name_is_not_run_again(place):
    script = place / "script.py"
    script.write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "NB3D_QUIET": "1"}
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, env=env, check=False)
    assert (ran.stdout, ran.stderr) == ("3\n", "")


@needed
@pytest.mark.parametrize("processes", [1, 2])
def test_a_card_newer_than_the_assembler_is_an_error_with_the_remedy(place, processes):
    with pytest.raises(RuntimeError, match=r"do not know sm_95 .*: they know sm_80, .*--upgrade"):
        ahead.compile_all(WANTED, ["sm_95"], processes)


def test_a_process_that_ends_is_an_error(place, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="A process that compiled the kernel strided ended with code 1"):
        ahead.compile_all(WANTED, ["sm_80"], processes=2)


def test_without_a_folder_nothing_is_compiled_ahead(monkeypatch):
    monkeypatch.setattr(ahead, "folder", lambda: None)
    assert ahead.compile_all([program("none", (), 32)], ["sm_80"]) == 0
