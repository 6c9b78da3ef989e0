"""What runs in the Python of real Keras: opens files that nb3d wrote, and says what it computes with them.

Argument: a folder with ``NAME.keras``, ``NAME.h5``, ``NAME.json``, ``NAME.weights.h5`` and ``NAME.npz``, what nb3d
computed, for every network of ``tests/saving/networks.py``. It prints one line of JSON: name -> largest relative
distance, or what went wrong.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np


def distance(outputs, expected) -> float:
    """How far outputs are from those expected, relative to the largest of them."""
    pairs = zip(outputs, expected, strict=True)
    return max(float(np.abs(a.astype("f8") - b).max() / np.abs(b.astype("f8")).max()) for a, b in pairs)


def results(folder: Path):
    """Name -> distance or error, for archives and for weights alone."""
    import keras

    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.saving.networks import NETWORKS, predictions

    warnings.simplefilter("ignore")
    for name, network in NETWORKS.items():
        with np.load(folder / f"{name}.npz") as data:
            expected = [data[key] for key in data.files]
        for how in ("archive", "weights", "json", "legacy"):
            try:
                if how == "archive":
                    model = keras.models.load_model(folder / f"{name}.keras")
                elif how == "legacy":
                    model = keras.models.load_model(folder / f"{name}.h5")
                else:
                    text = (folder / f"{name}.json").read_text()
                    model = keras.models.model_from_json(text) if how == "json" else network(keras)
                    model.load_weights(folder / f"{name}.weights.h5")
                yield f"{name}, {how}", distance(predictions(model), expected)
            except Exception as error:  # a table of all is worth more than the first failure
                yield f"{name}, {how}", f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    print(json.dumps(dict(results(Path(sys.argv[1])))))
