"""Compiled kernels on disk: never stale, never trusted when damaged, filled by one process at a time, and optional."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import nb3d
from nb3d.kernels import folders
from nb3d.kernels.cpu import cache
from nb3d.kernels.cpu.compile import helper, task

SCRIPT = """
import numpy as np
from nb3d.kernels import table
from nb3d.kernels.case import Case
out = np.empty(4, np.float32)
relu = Case("relu", ((4,),), ("float32",), (4,), "float32", (0.0, float("inf")))
table.run(relu, (np.arange(-2, 2, dtype=np.float32),), out)
assert out.tolist() == [0, 0, 0, 1], out.tolist()
from nb3d.kernels.cpu.flat import _activation
from nb3d.kernels.cpu.launch import _serial
print(_activation(1, "float32", False).compiled.cache_hits, sum(_serial.compiled.stats.cache_hits.values()))
"""
AFRESH = "nb3d compiles its kernels anew in every process"


def _environment(**changes: str | None) -> dict[str, str]:
    environment = {**os.environ, "NB3D_QUIET": "1", **changes}  # a slow machine would say that it compiles
    return {name: value for name, value in environment.items() if value is not None}


def _run(script: str = SCRIPT, cwd: Path | None = None, **changes: str | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], cwd=cwd,
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


def test_second_process_finds_what_was_made_of_a_helper(tmp_path):
    chosen = """
import numpy as np
import nb3d
from nb3d.kernels import compiling
assert nb3d.ops.add(np.ones((4, 5), np.float32), np.ones((4, 5), np.float32)).tolist() == [[2.0] * 5] * 4
print(compiling.count().compiled, compiling.count().found)
"""
    assert _hits(_run(chosen, NB3D_CACHE_DIR=str(tmp_path))) == [2, 0]
    assert _hits(_run(chosen, NB3D_CACHE_DIR=str(tmp_path))) == [0, 2]


def test_a_kernel_that_no_other_process_would_find_is_refused():
    double = helper(lambda x: 2 * x)

    def kernel(words, numbers, index, worker):
        words[index] = double(index)

    with pytest.raises(TypeError, match="kernel to close over numbers, types and names, got the helper 'double'"):
        task(kernel)


def test_without_home_the_user_has_one_or_goes_without(tmp_path):
    done = _run(HOME=None, XDG_CACHE_HOME=None, NB3D_CACHE_DIR=None)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(AFRESH) <= 1


def test_xdg_cache_home(tmp_path):
    _hits(_run(XDG_CACHE_HOME=str(tmp_path), NB3D_CACHE_DIR=None))
    assert list((tmp_path / "nb3d").glob("*/*.nbi"))


def test_no_place_is_one_warning(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = _run(NB3D_CACHE_DIR=str(blocked / "below"))
    assert _hits(done) == [0, 0]
    assert done.stderr.count(AFRESH) == 1


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root writes everywhere")
def test_read_only_place_is_one_warning(tmp_path):
    tmp_path.chmod(0o500)
    done = _run(NB3D_CACHE_DIR=str(tmp_path))
    assert _hits(done) == [0, 0]
    assert done.stderr.count(AFRESH) == 1


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def _read_only(**options: object) -> object:
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize(
    ("thing", "name", "failure"), [(Path, "home", _no_home), (tempfile, "TemporaryFile", _read_only)]
)
def test_where_nothing_can_be_kept_there_is_no_folder(thing, name, failure, monkeypatch, tmp_path):
    for variable in ("NB3D_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(thing, name, failure)
    folders._warn.cache_clear()
    with pytest.warns(RuntimeWarning, match=AFRESH):
        assert folders.folder.__wrapped__(cache.COMPILERS) is None
    assert folders.folder.__wrapped__(cache.COMPILERS) is None  # a second warning would be an error


def test_a_full_disk_is_one_warning_and_a_result(tmp_path):
    full = """
from errno import ENOSPC
from numba.core.caching import IndexDataCacheFile
def save(*arguments):
    raise OSError(ENOSPC, "No space left on device")
IndexDataCacheFile.save = save
"""
    done = _run(full + SCRIPT, NB3D_CACHE_DIR=str(tmp_path))
    assert _hits(done) == [0, 0]
    assert done.stderr.count(f"{AFRESH}: they cannot be kept (No space left on device)") == 1


@pytest.mark.parametrize("content", [b"", b"not a pickle", None])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_damaged_entries_are_compiled_again(tmp_path, suffix, content):
    _hits(_run(NB3D_CACHE_DIR=str(tmp_path)))
    entries = list(tmp_path.glob(f"*/*.{suffix}"))
    assert len(entries) == 2
    for entry in entries:
        whole = entry.read_bytes()
        entry.write_bytes(whole[: len(whole) // 2] if content is None else content)
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


@pytest.mark.skipif(folders.fcntl is None, reason="no file locks on this system")
def test_every_entry_is_written_by_the_one_process_that_holds_the_lock(tmp_path):
    watched = """
import fcntl
from numba.core.caching import IndexDataCacheFile
from nb3d.kernels.cpu import cache
save, held = IndexDataCacheFile.save, []
def watched(*arguments):
    with (cache.folder() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.append(True)
    save(*arguments)
IndexDataCacheFile.save = watched
"""
    done = _run(f"{watched}{SCRIPT}assert len(held) == 2, held", NB3D_CACHE_DIR=str(tmp_path))
    assert _hits(done) == [0, 0]


def test_a_process_outlives_the_removal_of_its_folder(tmp_path):
    cleared = """
from nb3d.kernels import folders
from nb3d.kernels.cpu import cache
assert len(folders.clear(folders.place())) == 1
assert not cache.folder().exists()
tanh = Case("tanh", ((4,),), ("float32",), (4,), "float32", (0.0, 0.0))
table.run(tanh, (np.zeros(4, np.float32),), out)
assert out.tolist() == [0, 0, 0, 0]
assert cache.folder().stat().st_mode & 0o777 == 0o700
assert len(list(cache.folder().glob("*.nbc"))) == 1
"""
    done = _run(SCRIPT + cleared, NB3D_CACHE_DIR=str(tmp_path))
    assert _hits(done) == [0, 0]
    assert done.stderr == ""


def test_a_change_in_a_file_that_a_kernel_only_calls_is_seen(tmp_path):
    """Numba's own cache would look at ``flat.py`` alone, and run what it compiled before."""
    package = tmp_path / "nb3d"
    shutil.copytree(Path(nb3d.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    where = {"NB3D_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}
    assert _hits(_run(cwd=tmp_path, **where)) == [0, 0]
    assert _hits(_run(cwd=tmp_path, **where)) == [1, 1]
    source = package / "kernels" / "formulas.py"
    code = source.read_text("utf8")
    changed = code.replace("y = x if x > zero else below", "y = x")
    assert changed != code
    source.write_text(changed, "utf8")
    done = _run(cwd=tmp_path, **where)
    assert "AssertionError: [-2.0, -1.0, 0.0, 1.0]" in done.stderr
    assert len(list((tmp_path / "cache").iterdir())) == 2
