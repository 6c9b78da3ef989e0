"""What loading costs besides the weights: memory, and threads that end."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import nb3d
from benchmarks.loading import FORMATS, measured, unet
from nb3d.saving import ModelFileError
from tests.saving.craft import archive, members, write


@pytest.mark.skipif(sys.platform != "linux", reason="memory is known on Linux only")
@pytest.mark.parametrize("ending", FORMATS)
def test_loading_takes_little_more_memory_than_the_weights(ending: str, tmp_path: Path) -> None:
    small, path = tmp_path / f"small{ending}", tmp_path / f"large{ending}"
    unet(0.1).save(small)
    unet(150).save(path)
    growth = measured("load", small, path)[1]
    assert growth <= 1.2


@pytest.mark.skipif(sys.platform != "linux", reason="memory is known on Linux only")
def test_the_benchmark_of_loading_tells_seconds_and_memory_of_every_format() -> None:
    command = [sys.executable, "-m", "benchmarks.loading", "--megabytes", "0.2", "--rounds", "1"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[2])
    assert ran.returncode == 0, ran.stderr
    assert [line.split("|")[1].strip() for line in ran.stdout.splitlines()[3:]] == list(FORMATS)


def test_the_thread_of_a_checksum_ends_with_the_loading_however_that_ends(tmp_path: Path) -> None:
    path = archive(tmp_path)
    nb3d.models.load_model(path)
    write(path, {**members(path), "config.json": b"{}"})
    with pytest.raises(ModelFileError):
        nb3d.models.load_model(path)
    write(path, {**members(path), "metadata.json": b"{"})
    with pytest.raises(ModelFileError):
        nb3d.models.load_model(path)
    assert not [thread for thread in threading.enumerate() if thread.name == "nb3d checksum"]


def test_where_no_thread_can_be_had_the_checksum_is_computed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    path = archive(tmp_path)
    monkeypatch.setattr(threading.Thread, "start", none)
    nb3d.models.load_model(path)
    content = bytearray(path.read_bytes())
    content[content.find(b"\x89HDF", 10) + 3000] ^= 0x40
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="checksum"):
        nb3d.models.load_model(path)
