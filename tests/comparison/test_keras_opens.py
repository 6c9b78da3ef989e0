"""Real Keras 3 opens what nb3d writes and computes the same, where ``NB3D_KERAS_PYTHON`` names a Python that has it.

``tests/saving/test_golden.py`` compares with recorded files and runs everywhere.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import nb3d
from tests.saving.networks import NETWORKS, predictions, randomize

PYTHON = os.environ.get("NB3D_KERAS_PYTHON", "")
TOLERANCE = 1e-5
OPERATIONS = {"attention", "functions", "operators", "rearrangements", "statistics"}
NOT_IN_H5 = dict.fromkeys(OPERATIONS, "an .h5 file cannot hold operations") | {
    "normalizations_of_themselves": "Keras 3.15 cannot read a LayerNormalization of several axes that it wrote itself"
}

pytestmark = [
    pytest.mark.comparison,
    pytest.mark.skipif(not PYTHON, reason="NB3D_KERAS_PYTHON does not name a Python with Keras 3"),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float | str]:
    """What Keras says of every file, from one process: importing it takes seconds."""
    folder = tmp_path_factory.mktemp("written")
    for name, network in NETWORKS.items():
        model = network(nb3d)
        randomize(model)
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        (folder / f"{name}.json").write_text(model.to_json())
        if name not in OPERATIONS:
            model.save(folder / f"{name}.h5")
        np.savez(folder / f"{name}.npz", *predictions(model))
    script = Path(__file__).with_name("keras_side.py")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    ran = subprocess.run([PYTHON, script, folder], capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    result: dict[str, float | str] = json.loads(ran.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("how", ["archive", "weights", "json", "legacy"])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_keras_computes_what_nb3d_computed(name: str, how: str, told: dict[str, float | str]) -> None:
    if how == "legacy" and name in NOT_IN_H5:
        pytest.skip(NOT_IN_H5[name])
    if (name, how) == ("wrapped", "json"):
        pytest.skip("Keras 3.15 does not look for shared layers in a configuration alone")
    distance = told[f"{name}, {how}"]
    assert isinstance(distance, float), distance
    assert distance < TOLERANCE
