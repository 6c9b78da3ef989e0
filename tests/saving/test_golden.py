"""Files that real Keras 3 wrote: nb3d reads them, and writes the same networks as Keras writes them."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nb3d
from tests.saving.networks import NETWORKS, predictions

GOLDEN = Path(__file__).resolve().parent / "golden"
NAMES = sorted(NETWORKS)

# What only Keras writes: training, quantization, and arguments of operations that nb3d's do not have.
KERAS_ONLY = {
    "compile_config", "decimals", "dtype", "initial", "keepdims", "quantization_config", "renorm", "renorm_clipping",
    "renorm_momentum", "shared_object_id", "synchronized",
}  # fmt: skip

OURS_ONLY = {"activity_regularizer", "shared_object_id"}  # Keras' numbers are addresses, and it loses some

# Layers without weights that attention has inside in Keras: their groups are empty.
HELPERS = {"_dropout_layer", "_softmax"}


def content(path: Path) -> tuple[Any, dict[str, Any]]:
    """The configuration, and name and shape of everything in the weights."""
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        found: dict[str, Any] = {}
        with h5py.File(BytesIO(archive.read("model.weights.h5"))) as file:
            file.visititems(lambda name, item: found.update({name: getattr(item, "shape", dict(item.attrs))}))
    return config, found


def differences(keras: Any, ours: Any, place: str = "") -> list[str]:
    """Where two configurations differ, but for what only Keras writes, empty masks, and dtypes without a policy."""
    if place.endswith("/dtype") and isinstance(keras, str) and isinstance(ours, dict):
        ours = ours["config"]["name"]
    if isinstance(keras, dict) and isinstance(ours, dict):
        found = [f"{place}/{key} is ours only" for key in ours.keys() - keras.keys() if key not in OURS_ONLY]
        for key, value in keras.items():
            if key in ours and key != "shared_object_id":
                found += differences(value, ours[key], f"{place}/{key}")
            elif key not in KERAS_ONLY and not (key == "mask" and value is None) and key != "build_config":
                found.append(f"{place}/{key} is missing")
        return found
    if isinstance(keras, list) and isinstance(ours, list) and len(keras) == len(ours):
        pairs = enumerate(zip(keras, ours, strict=True))
        return [text for number, pair in pairs for text in differences(*pair, f"{place}[{number}]")]
    return [] if keras == ours else [f"{place}: {keras!r} became {ours!r}"]


@pytest.mark.parametrize("name", NAMES)
def test_nb3d_computes_what_keras_computed(name: str) -> None:
    model = nb3d.models.load_model(GOLDEN / f"{name}.keras")
    with np.load(GOLDEN / f"{name}.npz") as data:
        for result, wanted in zip(predictions(model), (data[key] for key in data.files), strict=True):
            assert result.shape == wanted.shape
            scale = np.abs(wanted.astype("float64")).max()
            np.testing.assert_allclose(result.astype("float64"), wanted, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("name", NAMES)
def test_nb3d_writes_what_keras_wrote(name: str, tmp_path: Path) -> None:
    nb3d.models.load_model(GOLDEN / f"{name}.keras").save(tmp_path / "copy.keras")
    keras_config, keras_weights = content(GOLDEN / f"{name}.keras")
    our_config, our_weights = content(tmp_path / "copy.keras")
    assert differences(keras_config, our_config) == []
    assert our_weights == {name: item for name, item in keras_weights.items() if not HELPERS & set(name.split("/"))}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_network_built_in_nb3d_takes_the_weights_of_keras(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(GOLDEN / f"{name}.keras") as archive:
        (tmp_path / "golden.weights.h5").write_bytes(archive.read("model.weights.h5"))
    model = NETWORKS[name](nb3d)
    model.load_weights(tmp_path / "golden.weights.h5")
    loaded = nb3d.models.load_model(GOLDEN / f"{name}.keras")
    for mine, its in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
