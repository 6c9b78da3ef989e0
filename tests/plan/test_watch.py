"""Watching a run: times on request, and every step compared with the reference on request."""

from __future__ import annotations

import numpy as np
import pytest

import nb3d
from nb3d import layers
from tests.plan.networks import SHAPE, randomized, volume


def network() -> nb3d.Model:
    x = nb3d.Input(SHAPE[1:])
    y = layers.Conv3D(4, 3, padding="same", activation="relu", name="first")(x)
    z = layers.Conv3DTranspose(3, 2, strides=2)(layers.BatchNormalization()(layers.Add()([y, y])))
    model = nb3d.Model(x, layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling3D()(z)))
    randomized(model)
    return model


def test_times_are_printed_on_request(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    model = network()
    silent = model.predict(volume(), verbose=0)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("NB3D_DEBUG", "2")
    np.testing.assert_array_equal(model.predict(volume(), verbose=0), silent)
    text = capsys.readouterr().err
    assert "GFLOP/s" in text
    assert "GB/s" in text
    assert "first" in text


def test_a_sound_run_passes_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network()
    want = model.predict(volume(), verbose=0)
    monkeypatch.setenv("NB3D_VALIDATE", "1")
    np.testing.assert_array_equal(model.predict(volume(), verbose=0), want)


def test_validation_names_the_step_whose_kernel_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB3D_VALIDATE", "1")
    model = network()
    model.predict(volume(), verbose=0)
    (bound,) = model.function().executor([SHAPE])._idle
    _, arguments = bound.calls[0]
    inputs = len(bound.items[0].step.inputs)
    bound.calls[0] = (lambda *given: given[inputs].fill(7.0), arguments)
    with pytest.raises(RuntimeError, match="'first'"):
        model.predict(volume(), verbose=0)
