"""Verifying a file: facts and problems, without memory for the weights."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import nb3d
from nb3d.engine.variable import Variable
from nb3d.saving import ModelFileError, verify_file
from tests.saving.craft import archive, layer_of, small_model, with_config, with_weights

layers = nb3d.layers


@pytest.mark.parametrize(
    ("ending", "kind"), [("keras", "Keras archive"), ("h5", "legacy HDF5 model"), ("safetensors", "safetensors file")]
)
def test_a_sound_file_has_facts_and_no_problems(ending: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"model.{ending}"
    small_model().save(path, self_test=True)
    report = verify_file(path)
    facts = dict(report.facts)
    assert report.problems == []
    assert (facts["format"], facts["self-test"], facts["model"]) == (kind, "yes", "small, 4 layers")
    assert facts["weights"] == "8 arrays, 73 values, 292 bytes"
    assert "scan (None, 4, 4, 4, 1)" in str(report)


@pytest.mark.parametrize("ending", ["weights.h5", "safetensors"])
def test_weights_alone_are_counted(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"model.{ending}"
    small_model().save_weights(path)
    assert dict(verify_file(path).facts)["weights"] == "8 arrays, 73 values, 292 bytes"
    assert verify_file(path).problems == []


def test_a_version_is_shown_without_what_a_terminal_would_obey(tmp_path: Path) -> None:
    metadata = json.dumps({"keras_version": "3\x1b[2J"}).encode()
    path = archive(tmp_path, lambda content: content.update({"metadata.json": metadata}))
    assert dict(verify_file(path).facts)["written by Keras"] == r"3\x1b[2J"


def test_no_weight_gets_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.keras"
    small_model().save(path)

    def touched(variable: Variable) -> np.ndarray:
        raise AssertionError(f"{variable.name} was given memory")

    monkeypatch.setattr(Variable, "value", property(touched))
    assert verify_file(path).problems == []


def test_all_unknown_classes_are_told_with_their_layers(tmp_path: Path) -> None:
    def change(config: object) -> None:
        layer_of(config, "conv")["class_name"] = "Odd"
        layer_of(config, "norm")["class_name"] = "Odd"
        layer_of(config, "head")["class_name"] = "Strange"

    path = with_config(tmp_path, change)
    first, second = verify_file(path).problems
    assert "'Odd', of 'conv', 'norm'" in first
    assert "'Strange', of 'head'" in second
    known = {"Odd": layers.Dense, "Strange": layers.Dense}
    assert not any("unknown class" in problem for problem in verify_file(path, known).problems)


def test_weights_that_are_missing_extra_or_of_another_kind_are_told(tmp_path: Path) -> None:
    def shapes(file: h5py.File) -> None:
        for place, array in (("conv3d/vars/1", np.zeros(3, "float32")), ("dense/vars/0", np.zeros((2, 3)))):
            del file[f"layers/{place}"]
            file[f"layers/{place}"] = array

    first, second = verify_file(with_weights(tmp_path, shapes)).problems
    assert "layer 'conv'" in first
    assert "expected (2,), got (3,)" in first
    assert "expected float32, got float64" in second

    def names(file: h5py.File) -> None:
        file["layers/dense/vars/7"] = file["layers/dense/vars/1"][...]
        del file["layers/dense/vars/1"]

    (problem,) = verify_file(with_weights(tmp_path, names)).problems
    assert "missing: layers/dense/vars/1 of 'head'" in problem
    assert "extra: layers/dense/vars/7" in problem


def test_a_damaged_value_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = archive(tmp_path)
    content = bytearray(path.read_bytes())
    content[content.find(b"\x89HDF", 10) + 3000] ^= 0x40
    path.write_bytes(content)
    assert any("checksum" in problem for problem in verify_file(path).problems)


@pytest.mark.parametrize("text", ["{", "[]", '{"class_name": "Functional", "config": 3}'])
def test_a_configuration_that_is_none_is_a_problem(text: str, tmp_path: Path) -> None:
    assert len(verify_file(with_config(tmp_path, lambda config: text)).problems) == 1


def test_what_is_no_model_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such file"):
        verify_file(tmp_path / "missing.keras")


LIMITED = """
import resource, sys
import h5py, nb3d
resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))
print(nb3d.saving.verify_file(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory")
def test_a_model_larger_than_memory_can_be_verified(tmp_path: Path) -> None:
    def change(config: object) -> None:
        layer_of(config, "head")["config"]["units"] = 10**12

    path = with_config(tmp_path, change)
    ran = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True)
    assert "3,000,000,000,064 values" in ran.stdout, ran.stderr
    assert "layer 'head'" in ran.stdout
