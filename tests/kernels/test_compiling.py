"""What is counted and said when kernels are compiled."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nb3d.kernels import compiling

LINE = "nb3d compiles its kernels, once per machine and version"
PREDICTION = """
import sys
import numpy as np
import nb3d
from nb3d.kernels import compiling
compiling.PATIENCE = 0.0
x = nb3d.Input((4,))
model = nb3d.Model(x, nb3d.ops.relu(x))
print(model.predict(np.ones((1, 4)), verbose=int(sys.argv[1])).tolist(), compiling.count().compiled)
"""


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch):
    monkeypatch.delenv("NB3D_QUIET", raising=False)
    monkeypatch.setattr(compiling, "_told", False)
    monkeypatch.setattr(compiling, "_heard", 0.0)
    monkeypatch.setattr(compiling, "_count", compiling.Count())


def test_one_line_after_a_second_and_no_more(capsys):
    compiling.compiled(0.6, "folder")
    assert capsys.readouterr().err == ""
    compiling.compiled(0.6, "folder")
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"{LINE} (kept in folder)")
    compiling.compiled(60.0, "folder")
    assert capsys.readouterr().err == ""


def test_without_a_cache_it_does_not_promise_one(capsys):
    compiling.compiled(2.0, None)
    assert "in every process" in capsys.readouterr().err


def test_nothing_where_nobody_wants_to_hear(capsys, monkeypatch):
    with compiling.quietly(True), compiling.quietly(False):
        compiling.compiled(60.0, "folder")
    with monkeypatch.context() as patch:
        patch.setenv("NB3D_QUIET", "1")
        compiling.compiled(60.0, "folder")
        patch.setenv("NB3D_QUIET", "0")
        patch.setattr(sys, "stderr", None)  # as in a program without a console
        compiling.compiled(60.0, "folder")
    compiling.found()
    assert capsys.readouterr().err == ""
    with compiling.quietly(False):
        compiling.compiled(2.0, "folder")
    assert LINE in capsys.readouterr().err


def test_kernels_and_seconds_are_counted():
    compiling.compiled(0.25, None)
    before = compiling.count()
    compiling.found()
    compiling.compiled(0.5, None)
    assert compiling.count() == compiling.Count(2, 1, 0.75)
    assert compiling.count().since(before) == compiling.Count(1, 1, 0.5)
    assert str(compiling.count()) == "2 kernels compiled in 0.8 s, 1 found on disk"


def _predict(place, verbose):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", PREDICTION, str(verbose)],
        env={**os.environ, "NB3D_CACHE_DIR": str(place)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_prediction_tells_once_on_standard_error_and_not_as_a_warning(tmp_path):
    compiled = _predict(tmp_path, 2)
    assert compiled.returncode == 0, compiled.stderr
    assert compiled.stdout == "[[1.0, 1.0, 1.0, 1.0]] 2\n"
    assert compiled.stderr.count(LINE) == 1
    found = _predict(tmp_path, 2)
    assert found.stdout.split()[-1] == "0"
    assert LINE not in found.stderr


def test_a_quiet_prediction_says_nothing(tmp_path):
    compiled = _predict(tmp_path, 0)
    assert compiled.stdout.split()[-1] == "2"
    assert compiled.stderr == ""
