"""Every kernel computes what the reference computes; which of them is chosen, and how accurate they are."""

from __future__ import annotations

import numpy as np
import pytest

from nb3d.kernels import policy, table
from tests.cuda.interpreted import Interpreted, compute_on
from tests.cuda.precisions import expected
from tests.cuda.programs import pairs
from tests.cuda.wheels import needed
from tests.kernels.cases import conv, transposed
from tests.kernels.compare import assert_close, compute
from tests.kernels.example import BARE, plain

pytestmark = needed
PAIRS = [
    pytest.param(implementation, example, id=f"{implementation.name}: {example.name}")
    for implementation, example in pairs(most=6e5)  # what an interpreter runs in seconds
]


@pytest.mark.parametrize(("implementation", "example"), PAIRS)
def test_agrees_with_the_reference(implementation, example):
    result = compute_on(Interpreted(), implementation, example)
    assert_close(example, result, expected(implementation.name, example))


def test_three_products_of_tf32_are_as_accurate_as_float32():
    example = conv((2, 4, 9), 64, 32, bias=False, activation=0, note="accuracy")
    exact = compute(table.implementations("conv3d")[-1], example).astype(np.float64)
    error = {}
    for item in table.implementations("conv3d", "cuda"):
        if item.name in ("tf32", "tf32x3", "halo"):
            error[item.name] = np.abs(compute_on(Interpreted(), item, example) - exact).max() / np.abs(exact).max()
    assert error["tf32x3"] < 1e-6
    assert error["tf32x3"] < 4 * error["halo"]
    assert 1e-5 < error["tf32"] < 1e-3


@pytest.mark.parametrize(
    ("precision", "halo", "tile", "stem"),
    [
        ("float32", "halo", "tile", "stem"), ("fast_float32", "tf32x3", "tile_tf32x3", "tile_tf32x3"),
        ("tf32", "tf32", "tile_tf32", "tile_tf32"), ("bfloat16", "bf16", "tile_tf32", "tile_tf32"),
    ],
)  # fmt: skip
def test_the_precision_chooses_the_kernel(precision, halo, tile, stem, monkeypatch):
    monkeypatch.setattr(policy, "_chosen", policy.Policy(precision=precision))

    def chosen(example) -> str:
        return table.select(example.case, "cuda").implementation.name

    assert chosen(conv((32, 32, 32), 32, 32)) == halo
    assert chosen(conv((64, 64, 64), 3, 64)) == stem
    assert chosen(conv((32, 32, 32), 64, 64, strides=(2, 2, 2))) == tile
    assert chosen(transposed((16, 16, 16), 128, 64)) == tile
    assert chosen(plain("dense", ((1, 4096), (4096, 4096), (4096,)), (1, 4096), BARE)) == "tile"  # reads weights once
    assert chosen(conv((32, 32, 32), 32, 32, groups=32)) == "depthwise"


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="Expected a precision of float32, fast_float32, tf32, bfloat16, got 'half'"):
        policy.Policy(precision="half")
