"""CUDA kernels that write into slices of larger arrays and read from them: the same bits as alone, nothing beside."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from nb3d.kernels import table
from nb3d.kernels.case import OUT
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import recording
from nb3d.kernels.cuda.runtime import Runtime
from tests.cuda.interpreted import Interpreted, compute_on
from tests.cuda.programs import pairs
from tests.cuda.wheels import needed
from tests.kernels.compare import THREADS
from tests.kernels.pitches import FIRST, MORE, POISON, pitched

pytestmark = needed


# Of what is computed value by value, and only moved: all others are walked in the same way.
MAPS = ("relu", "add", "where", "prelu", "batch_normalization", "concatenate", "upsample3d", "pad3d", "crop3d")


def some(most: float):
    """Of every kernel and operation a few cases: all would take as long as everything else."""
    counts: dict[tuple[str, str], int] = {}
    for implementation, example in pairs(most):
        key = implementation.name, implementation.op
        if implementation.name == "map" and implementation.op not in MAPS:
            continue
        if implementation.slices(example.case) and counts.get(key, 0) < 3 and example.case.out:
            counts[key] = counts.get(key, 0) + 1
            yield pytest.param(implementation, example, id=f"{implementation.name}: {example.name}")


SOME = list(some(most=2e5))


class Sliced:
    """An array of the GPU that is a slice of the channels of a larger one.

    Args:
        first: Channels before it.
        more: Channels beside it in all.
    """

    def __init__(self, runtime: Runtime, array: np.ndarray, first: int, more: int) -> None:
        shape = (*array.shape[:-1], array.shape[-1] + more)
        self._host = np.full(shape, POISON, np.float64).astype(array.dtype)
        self._part = (..., slice(first, first + array.shape[-1]))
        self._host[self._part] = array
        self._whole, self._runtime = runtime.upload(self._host), runtime
        address = self._whole.address + first * array.itemsize
        self.array = Array(address, array.shape, array.dtype, self._whole)

    def read(self) -> np.ndarray:
        """Its values, once nothing beside it is found to have changed."""
        now, before = self._runtime.download(self._whole), self._host.copy()
        found = now[self._part].copy()
        now[self._part] = before[self._part] = 0
        np.testing.assert_array_equal(now, before)
        return found


@pytest.mark.parametrize(("first", "more"), [(FIRST, MORE), (4, 8)], ids=["anywhere", "aligned"])
@pytest.mark.parametrize(("implementation", "example"), SOME)
def test_slices_of_channels_are_read_and_written_like_arrays(implementation, example, first, more):
    positions = implementation.slices(example.case)
    positions = tuple(p for p in positions if p == OUT or example.case.inputs[p])
    case, runtime = pitched(example.case, positions, more), Runtime(Interpreted())
    assert implementation.accepts(case) is None
    out = Sliced(runtime, example.out(), first, more)
    scratch = runtime.upload(np.full(implementation.scratch(case, THREADS), 0xAB, np.uint8))
    operands = [
        Sliced(runtime, array, first, more).array if position in positions else runtime.upload(array)
        for position, array in enumerate(implementation.prepare(case, example.inputs()))
    ]
    launches = []
    with recording(launches.append):
        implementation.load(case)(*operands, out.array, scratch, *case.params)
    runtime.bind(launches)()
    np.testing.assert_array_equal(out.read(), compute_on(Interpreted(), implementation, example))


def test_every_kernel_that_says_so_is_tried():
    tried = {parameters.values[0].name for parameters in SOME}
    rows = [row for row in table._ROWS if row[1] == "cuda"]
    assert tried == {name for _, _, name, path in rows if hasattr(import_module(path), "slices")}
