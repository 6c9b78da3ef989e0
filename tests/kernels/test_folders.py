"""Folders of compiled kernels: private ones only, listed by version, removed without touching anything else."""

from __future__ import annotations

import errno
import os
import platform
import stat
from pathlib import Path

import llvmlite
import numba
import pytest

from nb3d.kernels import folders
from nb3d.kernels.cpu.cache import COMPILERS

OLD, NEW = "0123456789abcdef0123", "fedcba98765432100000"


def _fill(at: Path, name: str, files: dict[str, str]) -> Path:
    folder = at / name
    folder.mkdir(mode=0o700)
    for file, content in files.items():
        (folder / file).write_text(content)
    return folder


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no users on this system")
def test_a_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1, raising=False)
    with pytest.raises(folders.Unsafe, match="belongs to another user"):
        folders.make_private(tmp_path)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no modes on this system")
def test_a_folder_that_others_write_is_refused_and_a_readable_one_closed(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for mode in (0o777, 0o770):
        own.chmod(mode)
        with pytest.raises(folders.Unsafe, match="writable by others"):
            folders.make_private(own)
    own.chmod(0o755)
    folders.make_private(own)
    assert stat.S_IMODE(own.stat().st_mode) == 0o700


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no modes on this system")
def test_a_place_where_anybody_could_exchange_the_folder_is_refused(tmp_path):
    (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(folders.Unsafe, match="symbolic link"):
        folders.make_private(tmp_path / "link")
    tmp_path.chmod(0o777)
    with pytest.raises(folders.Unsafe, match="writable by everybody"):
        folders.make_private(tmp_path / "target")
    tmp_path.chmod(0o1777)  # as the folder for temporary files
    folders.make_private(tmp_path / "target")


def test_folders_say_what_they_are_for_how_many_files_and_bytes(tmp_path):
    old = _fill(tmp_path, OLD, {"a.nbi": "12", "a.1.nbc": "345", "lock": ""})
    new = _fill(tmp_path, NEW, {"b.nbi": "1"})
    folders.describe(new, COMPILERS)
    os.utime(old, (1, 1))
    found = folders.folders(tmp_path)
    versions = found[0].versions  # of nb3d too, where it is installed
    assert (versions["numba"], versions["llvmlite"]) == (numba.__version__, llvmlite.__version__)
    assert versions["python"] == platform.python_version()
    assert found == [folders.Folder(new, versions, 1, 1), folders.Folder(old, {}, 2, 5)]
    for damaged in ("", "[]", '{"numba": 1'):
        (new / folders.VERSIONS).write_text(damaged)
        assert folders.folders(tmp_path)[0].versions == {}
    assert folders.folders(tmp_path / "nowhere") == []


def test_clearing_removes_all_versions_and_nothing_else(tmp_path):
    at = tmp_path / "place"
    at.mkdir()
    _fill(at, OLD, {"a.nbi": "12", "a.1.nbc": "345", "a.nbi.tmp.00ff": "6", "lock": "", folders.VERSIONS: "{}"})
    _fill(at, NEW, {"b.nbi": "1", "letters.txt": "precious"})
    _fill(at, "notes", {"c.nbi": "1"})
    elsewhere = _fill(tmp_path, NEW, {"d.nbi": "1"})
    (at / ("a" * 20)).symlink_to(elsewhere)
    (at / "e.nbi").write_text("1")
    removed = folders.clear(at)
    assert sorted(folder.path.name for folder in removed) == [OLD, NEW]
    assert sum(folder.files for folder in removed) == 4
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_symlink() or path.is_file()}
    assert left == {
        f"place/{NEW}/letters.txt", "place/notes/c.nbi", "place/e.nbi", f"place/{'a' * 20}", f"{NEW}/d.nbi",
    }  # fmt: skip
    assert not (at / OLD).exists()
    assert folders.clear(tmp_path / "nowhere") == []


@pytest.mark.skipif(folders.fcntl is None, reason="no file locks on this system")
def test_who_waited_for_a_folder_that_was_removed_locks_the_new_one(tmp_path, monkeypatch):
    flock, calls = folders.fcntl.flock, []

    def removed_meanwhile(file, operation):
        calls.append(file)
        if len(calls) == 1:
            (tmp_path / "own" / folders.LOCK).unlink()
            (tmp_path / "own").rmdir()
        flock(file, operation)

    monkeypatch.setattr(folders.fcntl, "flock", removed_meanwhile)
    with folders.locked(tmp_path / "own"), (tmp_path / "own" / folders.LOCK).open() as lock:
        assert len(calls) == 2
        with pytest.raises(BlockingIOError):
            flock(lock, folders.fcntl.LOCK_EX | folders.fcntl.LOCK_NB)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no users on this system")
def test_a_folder_that_somebody_else_made_meanwhile_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1, raising=False)
    with pytest.raises(folders.Unsafe, match="another user"), folders.locked(tmp_path):
        pass


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no modes on this system")
def test_all_that_is_made_is_private(tmp_path):
    folders.make_private(tmp_path / "place" / "own")
    for path in (tmp_path / "place", tmp_path / "place" / "own"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.skipif(folders.fcntl is None, reason="no file locks on this system")
def test_where_files_cannot_be_locked_work_goes_on(tmp_path, monkeypatch):
    def unsupported(file, operation):
        raise OSError("No locks available")

    monkeypatch.setattr(folders.fcntl, "flock", unsupported)
    with folders.locked(tmp_path):
        pass
    with folders.locked(Path(os.devnull) / "below"):
        pass
    with folders.locked(None):
        pass


def test_every_set_of_compilers_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("NB3D_CACHE_DIR", str(tmp_path))
    compilers = [(("one", "1"),), (("one", "2"),), (("one", "1"), ("two", "1"))]
    places = [folders.folder.__wrapped__(versions) for versions in compilers]
    assert len(set(places)) == 3
    found = {folder.path: folder.versions for folder in folders.folders(tmp_path)}
    for place, versions in zip(places, compilers, strict=True):
        own = {name: version for name, version in found[place].items() if name != "nb3d"}  # where it is installed
        assert own == {**dict(versions), "python": platform.python_version()}


def test_a_file_is_read_whole_or_not_at_all(tmp_path):
    path = tmp_path / "entry"
    assert folders.read(path) is None
    folders.write(path, b"compiled")
    assert folders.read(path) == b"compiled"
    path.write_bytes(path.read_bytes()[:-1])
    assert folders.read(path) is None
    assert {entry.name for entry in tmp_path.iterdir()} <= {"entry", folders.LOCK}


def test_a_file_is_kept_where_the_folder_was_removed(tmp_path):
    folders.write(tmp_path / NEW / "entry", b"compiled")
    assert folders.read(tmp_path / NEW / "entry") == b"compiled"
    assert stat.S_IMODE((tmp_path / NEW).stat().st_mode) == 0o700


def test_a_full_disk_is_one_warning(tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    folders._warn.cache_clear()
    with pytest.warns(RuntimeWarning, match=r"they cannot be kept \(No space left on device\)"):
        folders.write(tmp_path / "entry", b"compiled")
    folders.write(tmp_path / "entry", b"compiled")  # a second warning would be an error
    assert {entry.name for entry in tmp_path.iterdir()} <= {folders.LOCK}
