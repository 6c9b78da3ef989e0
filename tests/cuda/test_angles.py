"""sin, cos and tan of the GPU, of angles of any size: they have a reduction of their own."""

from __future__ import annotations

import numpy as np
import pytest

from nb3d.kernels.cuda.launches import recording
from nb3d.kernels.cuda.runtime import Runtime
from nb3d.kernels.cuda.strides import Walk, apply_map
from tests.cuda.interpreted import Interpreted
from tests.cuda.wheels import needed

pytestmark = needed
RNG = np.random.default_rng(0)
ANGLES = np.concatenate([
    RNG.standard_normal(1000), 1e4 * RNG.standard_normal(1000), np.arange(-1500, 1500) * np.pi / 2,
    RNG.choice([-1, 1], 4000) * 10 ** RNG.uniform(-30, 38, 4000), [0, 2**20, -(2**20), 2**20 - 1, 3.4e38],
    [np.nan, np.inf, -np.inf],
]).astype(np.float32)  # fmt: skip


@pytest.mark.parametrize("op", ["sin", "cos", "tan"])
def test_angles_of_any_size(op):
    runtime, launches, along = Runtime(Interpreted()), [], Walk((1,))
    x = runtime.upload(ANGLES)
    out = runtime.allocate(x.shape, x.dtype)
    with recording(launches.append):
        apply_map(op, x.shape, [(x, along)], out, along)
    runtime.bind(launches)()
    with np.errstate(invalid="ignore"):
        exact = getattr(np, op)(ANGLES.astype(np.float64))
    np.testing.assert_allclose(runtime.download(out), exact, rtol=3e-7, atol=0)
