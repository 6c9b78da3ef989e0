"""``nb3d convert`` and ``nb3d verify``."""

from pathlib import Path

import numpy as np
import pytest

import nb3d
from nb3d.cli import main
from tests.saving.craft import small_model, with_config

X = np.random.default_rng(0).standard_normal((1, 4, 4, 4, 1)).astype("float32")
ENDINGS = ["keras", "h5", "safetensors"]


@pytest.mark.parametrize("source", ENDINGS)
@pytest.mark.parametrize("target", ENDINGS)
def test_every_format_becomes_every_other(source: str, target: str, tmp_path: Path) -> None:
    model = small_model()
    one, other = tmp_path / f"one.{source}", tmp_path / f"other.{target}"
    model.save(one)
    assert main(["convert", str(one), str(other), "--self-test"]) == 0
    copy = nb3d.models.load_model(other, verify=True)
    np.testing.assert_array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("weights", ["model.weights.h5", "model.safetensors"])
def test_a_model_is_taken_apart_and_put_together_again(weights: str, tmp_path: Path) -> None:
    model = small_model()
    whole, config = str(tmp_path / "model.keras"), str(tmp_path / "model.json")
    model.save(whole)
    model.save_weights(tmp_path / weights)
    assert main(["convert", whole, config]) == 0
    assert main(["convert", config, "--weights", str(tmp_path / weights), str(tmp_path / "again.h5")]) == 0
    copy = nb3d.models.load_model(tmp_path / "again.h5")
    np.testing.assert_array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))
    assert main(["convert", whole, str(tmp_path / "new.weights.h5")]) == 0
    copy.load_weights(tmp_path / "new.weights.h5")


def test_what_is_there_is_replaced_only_by_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_model().save(tmp_path / "model.keras")
    (tmp_path / "model.h5").write_text("mine")
    command = ["convert", str(tmp_path / "model.keras"), str(tmp_path / "model.h5")]
    assert main(command) == 1
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "model.h5").read_text() == "mine"
    assert main([*command, "--force"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model.json", "out.keras"], "--weights"),
        (["model.keras", "out.keras", "--weights", "w.weights.h5"], "weights of its own"),
        (["model.keras", "out.onnx"], "expected a name that ends in"),
        (["missing.keras", "out.h5"], "no such file"),
    ],
)
def test_what_cannot_be_converted_is_said_in_one_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small_model().save("model.keras")
    Path("model.json").write_text(small_model().to_json())
    assert main(["convert", *words]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.keras"]


def test_verify_prints_facts_and_fails_where_there_are_problems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_model().save(tmp_path / "model.keras")
    assert main(["verify", str(tmp_path / "model.keras")]) == 0
    assert "8 arrays, 73 values, 292 bytes" in capsys.readouterr().out

    def change(config: dict[str, dict[str, list[dict[str, str]]]]) -> None:
        config["config"]["layers"][1]["class_name"] = "Unheard"

    assert main(["verify", str(with_config(tmp_path, change))]) == 1
    printed = capsys.readouterr()
    assert "problem: unknown class 'Unheard', of 'conv'" in printed.out
    assert "1 problem(s)" in printed.err
