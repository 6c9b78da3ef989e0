"""Records files of real Keras and what it computes with them, for ``tests/saving/test_golden.py``.

Run it in an environment with Keras 3, from the root of the repository:

    python dev/record_file_goldens.py [network ...]

It builds the networks of ``tests/saving/networks.py`` with Keras and writes, for each, ``NAME.keras`` and ``NAME.npz``
into ``tests/saving/golden``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "tests" / "saving" / "golden"


def main() -> None:
    """Writes the files."""
    import keras

    sys.path.insert(0, str(ROOT))
    from tests.saving.networks import NETWORKS, predictions, randomize

    TARGET.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or NETWORKS:
        keras.utils.clear_session()
        model = NETWORKS[name](keras)
        randomize(model)
        np.savez_compressed(TARGET / f"{name}.npz", *predictions(model))
        model.save(TARGET / f"{name}.keras")
    print(f"{sum(path.stat().st_size for path in TARGET.iterdir())} bytes in {TARGET}")


if __name__ == "__main__":
    main()
