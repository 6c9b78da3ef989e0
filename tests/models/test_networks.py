"""Networks that real Keras saved, in every format they come in, give the outputs that real Keras computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nb3d import models

FOLDER = Path(__file__).parent
TOLERANCE = 1e-4  # of the largest output: float32 through some twenty layers, summed in another order


def files() -> list[Any]:
    found = []
    for meta in sorted(FOLDER.glob("*/meta.json")):
        for name, paths in json.loads(meta.read_text())["files"].items():
            found.append(pytest.param(meta.parent, paths, id=f"{meta.parent.name}-{name}"))
    return found


def load(folder: Path, paths: list[str]) -> Any:
    if len(paths) == 1:
        return models.load_model(folder / paths[0])
    model = models.model_from_json((folder / paths[0]).read_text())
    model.load_weights(folder / paths[1])
    return model


def arrays(data: Any, batch: int, kind: str) -> list[np.ndarray]:
    count = sum(key.startswith(f"b{batch}_{kind}") for key in data.files)
    return [data[f"b{batch}_{kind}{i}"] for i in range(count)]


def test_there_are_networks() -> None:
    assert len(files()) > 20


@pytest.mark.parametrize(("folder", "paths"), files())
def test_outputs_are_those_of_keras(folder: Path, paths: list[str]) -> None:
    model = load(folder, paths)
    with np.load(folder / "expected.npz") as data:
        batches = sum(key.endswith("_in0") for key in data.files)
        assert batches
        for batch in range(batches):
            inputs, wanted = arrays(data, batch, "in"), arrays(data, batch, "out")
            outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
            outputs = outputs if isinstance(outputs, list) else [outputs]
            for got, want in zip(outputs, wanted, strict=True):
                assert got.dtype == want.dtype
                assert np.abs(got - want).max() <= TOLERANCE * np.abs(want).max()
