"""Networks that real Keras saved, in every format they come in: loaded by nb3d, they compute what Keras computed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d

HERE = Path(__file__).resolve().parent
TOLERANCE = 1e-4  # of the largest expected value


def networks() -> Iterator[Any]:
    for folder in sorted(path.parent for path in HERE.glob("*/meta.json")):
        meta = json.loads((folder / "meta.json").read_text("utf8"))
        for form, files in meta["files"].items():
            yield pytest.param(folder, files, id=f"{folder.name}-{form}")


def load(paths: list[Path]) -> Any:
    if len(paths) == 1:
        return nb3d.models.load_model(paths[0])
    model = nb3d.models.model_from_json(paths[0].read_text("utf8"))
    model.load_weights(paths[1])
    return model


def arrays(data: Any, prefix: str) -> list[np.ndarray]:
    return [data[f"{prefix}{i}"] for i in range(len(data.files)) if f"{prefix}{i}" in data.files]


@pytest.mark.parametrize(("folder", "files"), list(networks()))
def test_it_computes_what_keras_computed(folder: Path, files: list[str]) -> None:
    model = load([folder / name for name in files])
    with np.load(folder / "expected.npz") as data:
        batches = [(arrays(data, f"b{k}_in"), arrays(data, f"b{k}_out")) for k in range(9) if f"b{k}_in0" in data.files]
    assert len(batches) == 2
    for inputs, expected in batches:
        result = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
        outputs = result if isinstance(result, list) else [result]
        for output, wanted in zip(outputs, expected, strict=True):
            assert output.shape == wanted.shape
            assert output.dtype == np.float32
            assert np.abs(output - wanted).max() <= TOLERANCE * np.abs(wanted).max()


@pytest.mark.parametrize("name", ["c3d", "ct_classifier", "unet3d_transpose", "vnet", "voxnet_cf"])
def test_it_survives_a_round_trip(name: str, tmp_path: Path) -> None:
    model = nb3d.models.load_model(HERE / name / "model.keras")
    model.save(tmp_path / "copy.keras")
    copy = nb3d.models.load_model(tmp_path / "copy.keras")
    assert copy.to_json() == model.to_json()
    for mine, its in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
