"""The console script: what it prints, what it writes, its exit codes, and one line for every error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nb3d
from nb3d import layers
from nb3d.cli import main

ROOT = Path(__file__).parents[2]
NETWORK = str(ROOT / "examples" / "nodules_unet.keras")


@pytest.fixture
def network(tmp_path: Path) -> str:
    x = nb3d.Input((None, None, None, 1), name="scan")
    y = layers.Conv3D(2, 3, padding="same", name="conv")(x)
    path = tmp_path / "small.keras"
    nb3d.Model(x, y, name="small").save(path)
    return str(path)


@pytest.fixture
def volume(tmp_path: Path) -> str:
    path = tmp_path / "in.npy"
    np.save(path, np.random.default_rng(0).standard_normal((5, 6, 7, 1)).astype("float32"))
    return str(path)


def failed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Runs a command that fails; its one line."""
    assert main([*words]) == 1
    output = capsys.readouterr()
    assert output.err.startswith("nb3d: error: ")
    assert output.err.count("\n") == 1
    assert "Traceback" not in output.err
    return output.err


def test_info_tells_versions_processor_threads_devices_and_cache(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    for word in (nb3d.__version__, np.__version__, "numba", "threading layer", "device cpu", "device cuda", "cache"):
        assert word in text


def test_summary_shows_layers_and_what_they_are_connected_to(
    capsys: pytest.CaptureFixture[str], network: str
) -> None:
    assert main(["summary", network]) == 0
    text = capsys.readouterr().out
    assert "conv (Conv3D)" in text
    assert "scan[0][0]" in text


def test_summary_shows_connectivity_when_asked(capsys: pytest.CaptureFixture[str], network: str) -> None:
    assert main(["summary", network, "--connectivity"]) == 0
    assert "scan[0][0] (None, None, None, None, 1) -> conv[0][0]" in capsys.readouterr().out


def test_plan_shows_steps_and_totals_without_running(capsys: pytest.CaptureFixture[str], network: str) -> None:
    assert main(["plan", network, "--shape", "8,9,10"]) == 0
    text = capsys.readouterr().out
    assert "1x8x9x10x2" in text
    assert "peak" in text


def test_predict_writes_what_the_model_predicts(
    capsys: pytest.CaptureFixture[str], network: str, volume: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.npy"
    assert main(["predict", network, volume, "-o", str(out)]) == 0
    want = nb3d.models.load_model(network).predict(np.load(volume)[np.newaxis], verbose=0)[0]
    np.testing.assert_array_equal(np.load(out), want)


def test_predict_keeps_what_is_there_unless_forced(
    capsys: pytest.CaptureFixture[str], network: str, volume: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.npy"
    out.write_bytes(b"precious")
    assert "--force" in failed(capsys, "predict", network, volume, "-o", str(out))
    assert out.read_bytes() == b"precious"
    assert main(["predict", network, volume, "-o", str(out), "--force"]) == 0
    assert np.load(out).shape == (5, 6, 7, 2)


def test_a_failed_prediction_leaves_nothing_behind(
    capsys: pytest.CaptureFixture[str], network: str, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.npy"
    np.save(wrong, np.zeros((4, 4), "float32"))
    before = sorted(tmp_path.iterdir())
    assert "wrong.npy" in failed(capsys, "predict", network, str(wrong), "-o", str(tmp_path / "out.npy"))
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["summary", "nowhere.keras"], "nowhere.keras"),
        (["plan", "nowhere.keras", "--shape", "8,8,8"], "nowhere.keras"),
        (["predict", "nowhere.keras", "in.npy", "-o", "out.npy"], "nowhere.keras"),
        (["predict", NETWORK, "nowhere.npy", "-o", "out.npy"], "nowhere.npy"),
        (["predict", NETWORK, "in.npy", "-o", "out.txt"], "out.txt"),
        (["summary", str(ROOT / "tests")], "tests"),
    ],
)
def test_errors_are_one_line_that_names_the_file(
    capsys: pytest.CaptureFixture[str], words: list[str], part: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert part in failed(capsys, *words)


def test_an_unusable_device_is_an_error_with_the_remedy(
    capsys: pytest.CaptureFixture[str], network: str, volume: str, tmp_path: Path
) -> None:
    if any(device.name == "cuda" and device.available()[0] for device in nb3d.devices()):
        pytest.skip("there is a CUDA device")
    line = failed(capsys, "predict", network, volume, "-o", str(tmp_path / "o.npy"), "--device", "cuda")
    assert "nb3d[cuda]" in line


@pytest.mark.parametrize("words", [[], ["fly"], ["plan", NETWORK, "--shape", "a,b"], ["predict", NETWORK]])
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_the_module_runs_as_a_script_and_tells_its_version() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nb3d", "--version"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"nb3d {nb3d.__version__}")


def test_debugging_shows_where_an_error_comes_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NB3D_DEBUG", "1")
    assert main(["summary", "nowhere.keras"]) == 1
    assert "Traceback" in capsys.readouterr().err
