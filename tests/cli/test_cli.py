"""The command ``nb3d``: what it prints, what it writes, and with which code it ends."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d.cli import main
from nb3d.cli.plan import sample_shape
from nb3d.kernels.cpu import cache

ROOT = Path(__file__).resolve().parents[2]
layers = nb3d.layers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models and arrays to work on."""
    place = tmp_path_factory.mktemp("cli")
    x = nb3d.Input((None, None, None, 2), name="scan")
    y = layers.Conv3D(3, 3, padding="same", activation="relu", name="conv")(x)
    nb3d.Model(x, y, name="one").save(place / "one.keras")
    nb3d.Model(x, [y, layers.Flatten(name="flat")(layers.GlobalMaxPooling3D(name="peak")(y))]).save(place / "two.keras")
    other = nb3d.Input((4,), name="other")
    both = nb3d.Model([x, other], [y, layers.Dense(1, name="dense")(other)])
    both.save(place / "both.keras")
    random = np.random.default_rng(0)
    np.save(place / "scan.npy", random.standard_normal((5, 6, 4, 2)).astype("float32"))
    np.save(place / "scans.npy", random.standard_normal((3, 5, 6, 4, 2)).astype("float32"))
    np.save(place / "vectors.npy", random.standard_normal((3, 4)))
    np.save(place / "words.npy", np.array(["a", "b"]))
    np.save(place / "objects.npy", np.array([{}], dtype=object))
    (place / "text.npy").write_text("no array")
    return place


@pytest.fixture
def run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command in the folder of models; OUT stands for a folder to write to."""
    monkeypatch.chdir(folder)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([word.replace("OUT", str(tmp_path)) for word in words])
        except SystemExit as leaving:  # argparse leaves so
            code = int(leaving.code or 0)
        return code, *capsys.readouterr()

    return run


def test_info_names_versions_processor_threads_devices_and_cache(run: Any) -> None:
    code, out, err = run("info")
    assert (code, err) == (0, "")
    names = ("nb3d", "python", "numpy", "numba", "h5py", "vectors", "threads", "kernel cache")
    for name in (*names, "device cpu", "device cuda"):
        assert re.search(rf"^{name} +\S", out, re.MULTILINE), name
    assert nb3d.__version__ in out


def test_version(run: Any) -> None:
    assert run("--version") == (0, f"nb3d {nb3d.__version__}\n", "")


def test_summary_is_the_model_s(run: Any) -> None:
    code, out, err = run("summary", "one.keras")
    assert (code, err) == (0, "")
    lines: list[str] = []
    nb3d.models.load_model("one.keras").summary(print_fn=lines.append)
    assert out.splitlines() == lines
    assert "node 0" not in out


def test_connectivity_comes_when_it_is_asked_for(run: Any) -> None:
    code, out, _ = run("summary", "one.keras", "--connectivity")
    assert code == 0
    assert "conv (Conv3D): 1 inbound node(s)" in out
    assert "scan[0][0] (None, None, None, None, 2) -> conv[0][0]" in out


@pytest.mark.parametrize("shape", ["5,6,4", "5,6,4,2"])
def test_the_plan_is_for_the_shape(shape: str, run: Any) -> None:
    code, out, err = run("plan", "one.keras", "--shape", shape)
    assert (code, err) == (0, "")
    assert "1x5x6x4x3" in out
    assert re.search(r"peak \d", out)
    assert "2x5x6x4x3" in run("plan", "one.keras", "--shape", shape, "--batch", "2")[1]


def test_the_plan_of_several_inputs_takes_several_shapes(run: Any) -> None:
    assert run("plan", "both.keras", "--shape", "5,6,4", "--shape", "4")[0] == 0
    code, _, err = run("plan", "both.keras", "--shape", "5,6,4")
    assert code == 1
    assert "2 inputs" in err


def test_channels_are_taken_from_the_model_wherever_they_are() -> None:
    assert sample_shape("x", (None, None, None, 3), (5, 6, 4)) == (5, 6, 4, 3)
    assert sample_shape("x", (1, 32, 32, 32), (32, 32, 32)) == (1, 32, 32, 32)
    assert sample_shape("x", (2, None, None, None), (5, 6, 4)) == (2, 5, 6, 4)
    assert sample_shape("x", (4, 4, 4, 1), None) == (4, 4, 4, 1)
    for wanted, given in [((None, 4), None), ((4, 4, 4, 1), (5, 4, 4)), ((4,), (4, 4, 4))]:
        with pytest.raises(ValueError, match="'x'"):
            sample_shape("x", wanted, given)


def test_predict_writes_what_the_model_predicts(run: Any, tmp_path: Path) -> None:
    code, out, err = run("predict", "one.keras", "scans.npy", "-o", "OUT/a.npy")
    assert (code, out) == (0, "")
    assert "conv (3, 5, 6, 4, 3)" in err
    expected = nb3d.models.load_model("one.keras").predict(np.load("scans.npy"), verbose=0)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), expected)
    assert run("predict", "one.keras", "scans.npy", "-o", "OUT/b.npy", "-q", "--batch-size", "2")[1:] == ("", "")
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), expected)


def test_a_single_sample_needs_no_batch(run: Any, tmp_path: Path) -> None:
    assert run("predict", "one.keras", "scan.npy", "-o", "OUT/a.npy")[0] == 0
    assert np.load(tmp_path / "a.npy").shape == (5, 6, 4, 3)


def test_several_outputs_go_into_one_archive_by_name(run: Any, tmp_path: Path) -> None:
    code, _, err = run("predict", "two.keras", "scan.npy", "-o", "OUT/a.npy")
    assert code == 1
    assert ".npz" in err
    assert run("predict", "two.keras", "scan.npy", "-o", "OUT/a.npz")[0] == 0
    with np.load(tmp_path / "a.npz") as data:
        assert {name: data[name].shape for name in data.files} == {"conv": (5, 6, 4, 3), "flat": (3,)}


def test_several_inputs_are_several_files(run: Any, tmp_path: Path) -> None:
    assert run("predict", "both.keras", "scans.npy", "vectors.npy", "-o", "OUT/a.npz")[0] == 0
    code, _, err = run("predict", "both.keras", "scans.npy", "-o", "OUT/b.npz")
    assert code == 1
    assert "2 inputs, got 1" in err


def test_a_file_that_is_there_is_replaced_only_by_force(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "a.npy"
    target.write_bytes(b"precious")
    code, _, err = run("predict", "one.keras", "scan.npy", "-o", "OUT/a.npy")
    assert code == 1
    assert "--force" in err
    assert target.read_bytes() == b"precious"
    assert run("predict", "one.keras", "scan.npy", "-o", "OUT/a.npy", "--force")[0] == 0
    assert np.load(target).shape == (5, 6, 4, 3)
    assert os.listdir(tmp_path) == ["a.npy"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["summary", "missing.keras"], "missing.keras: there is no such file"),
        (["summary", "."], "ending"),
        (["summary", "scan.npy"], "scan.npy"),
        (["plan", "one.keras"], "--shape"),
        (["plan", "one.keras", "--shape", "5,6"], "'scan'"),
        (["plan", "one.keras", "--shape", "5,6,4,9"], "'scan'"),
        (["predict", "one.keras", "missing.npy", "-o", "OUT/a.npy"], "missing.npy"),
        (["predict", "one.keras", "vectors.npy", "-o", "OUT/a.npy"], "vectors.npy: expected shape"),
        (["predict", "one.keras", "words.npy", "-o", "OUT/a.npy"], "words.npy: expected one array of numbers"),
        (["predict", "one.keras", "objects.npy", "-o", "OUT/a.npy"], "objects.npy"),
        (["predict", "one.keras", "text.npy", "-o", "OUT/a.npy"], "text.npy"),
        (["predict", "one.keras", "one.keras", "-o", "OUT/a.npy"], "one.keras"),
        (["predict", "one.keras", "scan.npy", "-o", "OUT/a.txt"], ".txt"),
        (["predict", "one.keras", "scan.npy", "-o", "OUT/nowhere/a.npy"], "nowhere"),
    ],
)
def test_failures_are_one_line_and_code_1(words: list[str], named: str, run: Any, tmp_path: Path) -> None:
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert err.startswith("nb3d: error: ")
    assert err.count("\n") == 1
    assert named in err
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(nb3d.devices()[1].available()[0], reason="there is a CUDA device")
def test_doctor_says_why_there_is_no_gpu_and_what_to_do(run: Any) -> None:
    code, out, _ = run("doctor")
    assert code == 0
    assert out.splitlines()[-1].startswith("The GPU cannot be used: ")


@pytest.mark.skipif(nb3d.devices()[1].available()[0], reason="there is a CUDA device")
@pytest.mark.parametrize(
    "words", [["predict", "one.keras", "scan.npy", "-o", "OUT/a.npy"], ["warmup", "one.keras", "--shape", "5,6,4"]]
)
def test_running_on_an_unusable_device_is_an_error_with_the_remedy(words: list[str], run: Any) -> None:
    code, _, err = run(*words, "--device", "cuda")
    assert code == 1
    assert "'cuda' is not available" in err
    assert ("name its architecture" in err) == (words[0] == "warmup")


def test_a_plan_for_a_gpu_needs_none(run: Any) -> None:
    code, out, err = run("plan", "one.keras", "--shape", "5,6,4", "--device", "cuda")
    assert (code, err) == (0, "")
    assert "conv3d" in out
    assert "host: " not in out


def test_an_architecture_is_that_of_a_gpu(run: Any) -> None:
    code, out, err = run("warmup", "one.keras", "--shape", "5,6,4", "--arch", "sm_80")
    assert (code, out) == (1, "")
    assert "expected device='cuda' with it, got 'auto'" in err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["summary"],
        ["plan", "one.keras", "--shape", "5,x"],
        ["plan", "one.keras", "--shape", "5,-6,4"],
        ["plan", "one.keras", "--device", "abacus"],
        ["predict", "one.keras", "scan.npy"],
        ["predict", "one.keras", "scan.npy", "-o", "a.npy", "--batch-size", "0"],
        ["warmup", "one.keras", "--batch", "0"],
        ["cache"],
        ["cache", "empty"],
    ],
)
def test_a_command_that_is_not_understood_is_code_2(words: list[str], run: Any) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "usage: nb3d" in err


def test_warmup_compiles_what_a_model_needs_and_says_how_much(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB3D_QUIET", "1")  # what a slow machine would say on standard error
    code, out, err = run("warmup", "one.keras", "--shape", "5,6,4", "--batch", "2")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"\d+ kernels? compiled in \d+\.\d s, \d+ found on disk\n", out)
    assert run("warmup", "one.keras", "--shape", "5,6,4", "--batch", "2")[1].startswith("0 kernels compiled")
    for words, named in [(["one.keras"], "--shape"), (["--shape", "5,6,4"], "FILE"), (["--batch", "2"], "FILE")]:
        code, out, err = run("warmup", *words)
        assert (code, out) == (1, "")
        assert named in err


def test_warmup_without_a_place_for_kernels_fails(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    words = [sys.executable, "-m", "nb3d", "warmup", str(folder / "one.keras"), "--shape", "5,6,4"]
    place = {"NB3D_CACHE_DIR": str(tmp_path / "file" / "below")}
    ran = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **place})
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("nb3d: error: nb3d compiles its kernels anew")
    assert ran.stderr.count("\n") == 1


def test_the_cache_is_shown_and_cleared(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB3D_CACHE_DIR", str(tmp_path))
    assert run("cache", "info") == (0, f"{tmp_path}: 0 files, 0 bytes of 0 versions\n", "")
    old, now = tmp_path / ("0" * 20), tmp_path / cache.fingerprint()
    for place in (old, now):
        place.mkdir()
        (place / "a.1.nbc").write_bytes(b"12345")
    (now / "versions.json").write_text('{"nb3d": "0.1.0", "numba": "0.68.1"}')
    os.utime(old, (1, 1))
    assert run("cache", "info")[1].splitlines() == [
        f"{tmp_path}: 2 files, 10 bytes of 2 versions",
        f"{now.name}  1 file, 5 bytes: nb3d 0.1.0, numba 0.68.1 (in use now)",
        f"{old.name}  1 file, 5 bytes: versions not known",
    ]
    (tmp_path / "notes.txt").write_text("precious")
    assert run("cache", "clear") == (0, f"{tmp_path}: removed 2 files, 10 bytes of 2 versions\n", "")
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_help_lists_the_commands(run: Any) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for command in ("info", "doctor", "summary", "plan", "predict", "warmup", "cache"):
        assert re.search(rf"^ +{command} +\w", out, re.MULTILINE)


def test_debugging_shows_where_an_error_comes_from(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB3D_DEBUG", "1")
    _, _, err = run("summary", "missing.keras")
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("nb3d: error: ")


def test_an_interrupt_ends_it_quietly(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*words: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nb3d.cli.summary.load_model", interrupted)
    assert run("summary", "one.keras") == (130, "", "nb3d: interrupted\n")


def test_it_is_a_module_too_and_says_nothing_when_its_reader_leaves(folder: Path) -> None:
    command = f"{sys.executable} -m nb3d summary {folder / 'one.keras'}"
    ran = subprocess.run(
        ["bash", "-c", f"{command} | head -1; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, cwd=ROOT
    )
    assert ran.stdout == 'Model: "one"\n'
    assert ran.stderr == ""
    assert ran.returncode in (0, 1)


def test_looking_at_a_model_loads_no_compiler(folder: Path) -> None:
    code = "import sys; from nb3d.cli import main; main(sys.argv[1:]); assert 'numba' not in sys.modules"
    words = [sys.executable, "-c", code, "summary", str(folder / "one.keras")]
    ran = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("as_dict", [False, True])
def test_outputs_may_have_names_that_the_archive_keeps_for_itself(as_dict: bool, tmp_path: Path) -> None:
    x = nb3d.Input((4, 4, 4, 1))
    first, second = nb3d.layers.Conv3D(1, 1, name="file")(x), nb3d.layers.Conv3D(2, 1, name="allow_pickle")(x)
    outputs = {"file": first, "allow_pickle": second} if as_dict else [first, second]
    nb3d.Model(x, outputs).save(tmp_path / "m.keras")
    np.save(tmp_path / "in.npy", np.ones((4, 4, 4, 1), "float32"))
    words = ["predict", str(tmp_path / "m.keras"), str(tmp_path / "in.npy"), "-o", str(tmp_path / "out.npz")]
    assert main(words) == 0
    with np.load(tmp_path / "out.npz") as saved:
        assert [saved[name].shape[-1] for name in ("output_0", "output_1")] == [1, 2]
