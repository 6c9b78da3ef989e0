"""Kernels that write into slices of larger arrays, read from them, or write over an input: the same bits as alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nb3d.kernels import table
from nb3d.kernels.case import OUT, Case
from tests.kernels.cases import EXAMPLES
from tests.kernels.compare import THREADS, compute
from tests.kernels.pitches import FIRST, MORE, POISON, pitched

FAST = [
    (implementation, example)
    for example in EXAMPLES
    for implementation in table.implementations(example.case.op)
    if implementation.name != "reference" and implementation.accepts(example.case) is None
]


def pairs(ability: str) -> list:
    return [
        pytest.param(implementation, example, id=f"{implementation.name}: {example.name}")
        for implementation, example in FAST
        if getattr(implementation, ability)(example.case)
    ]


def sliced(array: np.ndarray) -> np.ndarray:
    whole = np.full((*array.shape[:-1], array.shape[-1] + MORE), POISON, np.float64).astype(array.dtype)
    part = whole[..., FIRST : FIRST + array.shape[-1]]
    part[...] = array
    return part


@pytest.mark.parametrize(("implementation", "example"), pairs("slices"))
def test_slices_of_channels_are_read_and_written_like_arrays(implementation, example) -> None:
    positions = implementation.slices(example.case)
    case, out = pitched(example.case, positions), example.out()
    assert implementation.accepts(case) is None
    out = sliced(out) if OUT in positions else out
    inputs = implementation.prepare(case, example.inputs())
    inputs = [sliced(array) if i in positions else array for i, array in enumerate(inputs)]
    scratch = np.full(implementation.scratch(case, THREADS), 0xAB, np.uint8)
    implementation.load(case)(*inputs, out, scratch, *case.params)
    np.testing.assert_array_equal(out, compute(implementation, example))
    for array in (*(inputs[p] for p in positions if p != OUT), *([out] if OUT in positions else [])):
        around = array.base
        assert (around[..., :FIRST] == np.array(POISON).astype(array.dtype)).all()
        assert (around[..., FIRST + array.shape[-1] :] == np.array(POISON).astype(array.dtype)).all()


@pytest.mark.parametrize(("implementation", "example"), pairs("overwrites"))
def test_an_input_may_be_written_over(implementation, example) -> None:
    for position in implementation.overwrites(example.case):
        inputs = list(example.inputs())
        scratch = np.full(implementation.scratch(example.case, THREADS), 0xAB, np.uint8)
        prepared = list(implementation.prepare(example.case, tuple(inputs)))
        out = prepared[position] = inputs[position].copy()
        implementation.load(example.case)(*prepared, out, scratch, *example.case.params)
        np.testing.assert_array_equal(out, compute(implementation, example))


def test_a_value_without_axes_is_no_slice() -> None:
    case = Case("add", ((2, 3), ()), ("float32",) * 2, (2, 3), "float32", pitches=(3, 1, 8))
    assert case.slices() == {OUT}
    assert (case.pitch(1), replace(case, pitches=()).pitch(1)) == (1, 1)


def test_an_implementation_that_cannot_take_slices_is_not_chosen() -> None:
    case = Case("tanh", ((2, 3),), ("float32",), (2, 3), "float32", (0.0, 0.0), pitches=(3, 8))
    with pytest.raises(ValueError, match="contiguous"):
        table.select(case)
