"""`nb3d.warmup`: kernels compiled ahead of the first prediction."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import nb3d
from nb3d.models.warmup import _usual

PROGRAM = """
import numpy as np
import nb3d
from nb3d.kernels import compiling
x = nb3d.Input((None, None, None, 1))
y = nb3d.layers.Conv3D(2, 3, activation="sigmoid")(nb3d.layers.MaxPooling3D(2)(x))
model = nb3d.Model(x, nb3d.layers.Flatten()(y))
done = nb3d.warmup(model, (20, 20, 20, 1))
before = compiling.count()
model.predict(np.ones((1, 20, 20, 20, 1)), verbose=0)
print(done.compiled, done.found, *[getattr(compiling.count().since(before), name) for name in ("compiled", "found")])
"""


def _numbers(place: object) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "NB3D_CACHE_DIR": str(place)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_a_prediction_after_it_compiles_nothing_and_later_processes_find_everything(tmp_path) -> None:
    compiled, found, *then = _numbers(tmp_path)
    assert compiled > 4
    assert (found, then) == (0, [0, 0])
    assert _numbers(tmp_path) == [0, compiled, 0, 0]


def test_shapes_are_those_of_the_model() -> None:
    x = nb3d.Input((4, 4, 4, 1))
    model = nb3d.Model(x, nb3d.ops.relu(x))
    nb3d.warmup(model)
    assert nb3d.warmup(model, (2, 4, 4, 4, 1)).compiled == 0
    with pytest.raises(ValueError, match=r"\(None, 4, 4, 4, 1\)"):
        nb3d.warmup(model, (5, 4, 4, 1))
    with pytest.raises(TypeError, match="1 shapes, but no model"):
        nb3d.warmup(None, (4, 4, 4, 1))


def test_usual_networks_run_on_compiled_kernels_and_leave_no_trace() -> None:
    with nb3d.Graph().as_default():
        nb3d.utils.set_random_seed(3)
        networks = list(_usual())
        layer = nb3d.layers.Dense(1, name=None)
        assert layer.name == "dense"
        drawn = nb3d.initializers.RandomUniform()((3,))
    nb3d.utils.set_random_seed(3)
    np.testing.assert_array_equal(drawn, nb3d.initializers.RandomUniform()((3,)))
    for network in networks:
        steps = network.plan((32, 32, 32, 1)).schedule.steps
        views = network.plan((32, 32, 32, 1)).schedule.views
        assert "reference" not in {s.choice.implementation.name for s in steps if s.step.output not in views}
