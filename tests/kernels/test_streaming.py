"""Results that go around the caches are the same bits as those that do not."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from nb3d.kernels import table
from nb3d.kernels.cpu import microkernel, streaming, work
from nb3d.kernels.cpu.arrays import aligned_zeros
from tests.kernels.cases import EXAMPLES, LINEAR, conv, transposed
from tests.kernels.compare import THREADS, compute

STREAMING = ("relu", "gelu", "batch_normalization", "normalization", "concatenate", "conv3d", "conv3d_transpose")
PAIRS = [
    pytest.param(implementation, example, id=f"{implementation.name}: {example.name}")
    for example in EXAMPLES
    if example.case.op in STREAMING and example.case.out_dtype != "bool"  # which has no value that stands out
    if not example.case.op.startswith("conv") or example.case.out[-1] % 16 == 0  # whole cache lines
    for implementation in table.implementations(example.case.op)
    if implementation.name != "reference" and implementation.accepts(example.case) is None
]


@pytest.mark.parametrize(("implementation", "example"), PAIRS)
def test_streamed_results_have_the_same_bits(implementation, example, monkeypatch) -> None:
    expected = compute(implementation, example)
    monkeypatch.setattr(streaming, "LARGE", 0)
    np.testing.assert_array_equal(compute(implementation, example), expected)


@pytest.mark.parametrize(("implementation", "example"), PAIRS)
def test_streamed_results_may_begin_anywhere_and_end_where_they_end(implementation, example, monkeypatch) -> None:
    expected, inputs = compute(implementation, example), example.inputs()
    monkeypatch.setattr(streaming, "LARGE", 0)
    scratch = np.full(implementation.scratch(example.case, THREADS), 0xAB, np.uint8)
    for first in (0, 1, 7, 15):
        memory = aligned_zeros((expected.size + 32,), expected.dtype)
        memory[:] = -7777.0
        out = memory[first : first + expected.size].reshape(expected.shape)
        kernel = implementation.load(example.case)
        kernel(*implementation.prepare(example.case, inputs), out, scratch, *example.case.params)
        np.testing.assert_array_equal(out, expected)
        assert (memory[:first] == -7777.0).all()
        assert (memory[first + expected.size :] == -7777.0).all()


@pytest.mark.parametrize(
    ("example", "name"),
    [
        (conv((4, 5, 27), 6, 32, kernel=(1, 1, 1), activation=LINEAR), "direct"),
        (conv((4, 5, 27), 6, 32), "direct"),
        (transposed((3, 4, 5), 4, 16, strides=(2, 2, 2), activation=LINEAR), "product"),
    ],
)
def test_sums_leave_the_registers_around_the_caches(example, name, monkeypatch) -> None:
    tails: list[int] = []
    monkeypatch.setattr(streaming, "LARGE", 0)
    monkeypatch.setattr(work, "tile", lambda *form: tails.append(form[-1]) or microkernel.tile(*form))
    implementation = next(found for found in table.implementations(example.case.op) if found.name == name)
    implementation.load(example.case)
    assert set(tails) == {microkernel.SENT if example.case.params[-3] == LINEAR else microkernel.SENT_RELU}


@njit
def _stream(target, source, size):
    streaming.stream(target, source, size)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 127, 128, 200, 1000])
def test_any_bytes_are_streamed(size) -> None:
    rng = np.random.default_rng(size)
    source = rng.integers(0, 256, 2000, np.uint8)
    for to, origin in ((0, 0), (1, 0), (0, 3), (17, 5), (64, 64), (63, 1)):
        memory = np.zeros(2000, np.uint8)
        _stream(memory.ctypes.data + to, source.ctypes.data + origin, size)
        np.testing.assert_array_equal(memory[to : to + size], source[origin : origin + size])
        assert not memory[:to].any()
        assert not memory[to + size :].any()
