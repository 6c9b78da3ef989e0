"""Every recorded layer computes with device='cuda' what real Keras computed; the GPU is the interpreter."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import nb3d
from tests.cuda.gpu import pretend
from tests.cuda.wheels import needed
from tests.layers.golden_cases import CASES
from tests.layers.test_golden import TOLERANCE

pytestmark = needed


@pytest.mark.parametrize("name", CASES)
def test_a_layer_computes_what_keras_does(name: str, monkeypatch) -> None:
    pretend(monkeypatch)
    case = CASES[name]
    _, symbols, outputs = case.symbolic()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*run on the host", RuntimeWarning)  # docs/cuda.md names them
        values = nb3d.function(symbols, outputs, device="cuda")(case.inputs())
    for value, expected in zip(values, case.outputs(), strict=True):
        assert value.dtype == expected.dtype
        np.testing.assert_allclose(value, expected, **TOLERANCE)
