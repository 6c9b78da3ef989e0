"""The folder of compiled kernels: private, optional, and never trusted when damaged."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nb3d.kernels.cpu import cache

SCRIPT = """
import numpy as np
from nb3d.kernels import table
from nb3d.kernels.case import Case
out = np.empty(4, np.float32)
relu = Case("relu", ((4,),), ("float32",), (4,), "float32", (0.0, float("inf")))
table.run(relu, (np.arange(-2, 2, dtype=np.float32),), out)
assert out.tolist() == [0, 0, 0, 1], out
from nb3d.kernels.cpu.flat import _activation
from nb3d.kernels.cpu.launch import _serial
print(_activation(1, "float32", False).compiled.cache_hits, sum(_serial.stats.cache_hits.values()))
"""


def _environment(**changes: str | None) -> dict[str, str]:
    environment = {**os.environ, **changes}
    return {name: value for name, value in environment.items() if value is not None}


def _run(**changes: str | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=_environment(**changes), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def _hits(done: subprocess.CompletedProcess[str]) -> list[int]:
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_second_process_finds_what_the_first_compiled(tmp_path):
    assert _hits(_run(NB3D_CACHE_DIR=str(tmp_path))) == [0, 0]
    second = _run(NB3D_CACHE_DIR=str(tmp_path))
    assert _hits(second) == [1, 1]
    assert second.stderr == ""
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_home_the_user_has_one_or_goes_without(tmp_path):
    done = _run(HOME=None, XDG_CACHE_HOME=None, NB3D_CACHE_DIR=None)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("nb3d compiles its kernels anew") <= 1


def test_xdg_cache_home(tmp_path):
    _hits(_run(XDG_CACHE_HOME=str(tmp_path), NB3D_CACHE_DIR=None))
    assert list((tmp_path / "nb3d").glob("*/*.nbi"))


def test_no_writable_place_is_one_warning(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = _run(NB3D_CACHE_DIR=str(blocked / "below"))
    assert _hits(done) == [0, 0]
    assert done.stderr.count("nb3d compiles its kernels anew in every process") == 1


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root writes everywhere")
def test_read_only_place_is_one_warning(tmp_path):
    tmp_path.chmod(0o500)
    done = _run(NB3D_CACHE_DIR=str(tmp_path))
    assert _hits(done) == [0, 0]
    assert done.stderr.count("nb3d compiles its kernels anew in every process") == 1


def test_foreign_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1, raising=False)
    with pytest.raises(PermissionError, match="belongs to another user"):
        cache._private(tmp_path)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no modes on this system")
def test_folder_that_others_write_is_refused_and_readable_one_closed(tmp_path):
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError, match="writable by others"):
        cache._private(tmp_path)
    tmp_path.chmod(0o755)
    cache._private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_truncated_entries_are_compiled_again(tmp_path, suffix):
    _hits(_run(NB3D_CACHE_DIR=str(tmp_path)))
    for entry in tmp_path.glob(f"*/*.{suffix}"):
        entry.write_bytes(entry.read_bytes()[:20])
    assert _hits(_run(NB3D_CACHE_DIR=str(tmp_path))) == [0, 0]
    assert _hits(_run(NB3D_CACHE_DIR=str(tmp_path))) == [1, 1]


def test_two_processes_race_on_an_empty_cache(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env=_environment(NB3D_CACHE_DIR=str(tmp_path)), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert _hits(_run(NB3D_CACHE_DIR=str(tmp_path))) == [1, 1]


def test_fingerprint_follows_the_sources(monkeypatch, tmp_path):
    before = cache.fingerprint()
    copy = tmp_path / "kernels" / "cpu"
    copy.mkdir(parents=True)
    (copy / "cache.py").write_text("changed")
    monkeypatch.setattr(cache, "__file__", str(copy / "cache.py"))
    assert cache.fingerprint.__wrapped__() != before
    assert isinstance(Path(cache.__file__), Path)
