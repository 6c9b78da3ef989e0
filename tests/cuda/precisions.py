"""What the kernels of lower precision multiply: their inputs as the hardware rounds them."""

from __future__ import annotations

import numpy as np

from nb3d.kernels import table
from nb3d.kernels.cuda.fragments import round_bf16, round_tf32
from tests.kernels.cases import Example
from tests.kernels.compare import compute

ROUNDINGS = {
    "tf32": round_tf32,
    "bf16": lambda values: (round_bf16(values).astype(np.uint32) << np.uint32(16)).view(np.float32),
}


class Rounded:
    """An example whose first two inputs, voxels and weights, are rounded."""

    def __init__(self, example: Example, name: str) -> None:
        self.case, self.out = example.case, example.out
        self._example, self._round = example, ROUNDINGS[name]

    def inputs(self):
        x, kernel, *rest = self._example.inputs()
        return self._round(x), self._round(kernel), *rest


def expected(name: str, example: Example) -> np.ndarray:
    """What the implementation called ``name`` has to compute, but for the rounding of its sums."""
    reference = table.implementations(example.case.op)[-1]
    rounding = name.removeprefix("tile_")
    return compute(reference, Rounded(example, rounding) if rounding in ROUNDINGS else example)
