"""A run reads the caller's inputs and writes the caller's results: neither is copied, and neither is ever mistaken."""

from __future__ import annotations

import numpy as np
import pytest

import nb3d
from nb3d import layers, ops

SHAPE = (1, 4, 6, 8, 3)


def volume(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(SHAPE, dtype=np.float32)


def doubled() -> nb3d.Model:
    x = nb3d.Input(SHAPE[1:])
    return nb3d.Model(x, layers.Add()([x, x]))


def test_a_result_that_is_kept_is_not_written_again() -> None:
    model = doubled()
    kept = [model.predict_on_batch(volume(seed)) for seed in range(5)]
    for seed, result in enumerate(kept):
        np.testing.assert_array_equal(result, 2 * volume(seed))


@pytest.mark.parametrize(
    "part",
    [
        lambda y: y[0, 1:3, ..., 0],
        lambda y: y.reshape(-1)[5:],
        lambda y: y.T,
        lambda y: np.frombuffer(memoryview(y).cast("B"), np.float32),
    ],
)
def test_a_view_of_a_result_keeps_it(part) -> None:
    model = doubled()
    kept = part(model.predict_on_batch(volume(0)))
    for seed in (1, 2):
        model.predict_on_batch(volume(seed))
    np.testing.assert_array_equal(kept, part(2 * volume(0)))


def test_a_dropped_result_makes_room_for_the_next() -> None:
    model = doubled()
    first = model.predict_on_batch(volume()).ctypes.data
    assert model.predict_on_batch(volume()).ctypes.data == first


def test_a_result_fed_back_is_not_overwritten_while_it_is_read() -> None:
    model, y = doubled(), volume()
    for _ in range(4):
        y = model.predict_on_batch(y)
    np.testing.assert_array_equal(y, 16 * volume())


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(np.float64),
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=3)[..., ::2, :],
        lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape),
        lambda x: np.require(x, requirements="W"),
    ],
)
def test_inputs_of_any_layout(change) -> None:
    x = change(volume())
    x.flags.writeable = False
    np.testing.assert_array_equal(doubled().predict_on_batch(x), 2 * volume())
    np.testing.assert_array_equal(x, volume())


def test_inputs_are_not_kept_alive() -> None:
    import weakref

    model, x = doubled(), volume()
    model.predict_on_batch(x)
    gone = weakref.ref(x)
    del x
    assert gone() is None


def test_results_never_share_memory() -> None:
    x = nb3d.Input(SHAPE[1:])
    y = layers.Add()([x, x])
    function = nb3d.function([x], [y, y, ops.reshape(y, (-1,)), x, ops.reshape(x, (-1,)), layers.Add()([y, x])])
    given = volume()
    results = function([given])
    for result, factor in zip(results, (2, 2, 2, 1, 1, 3), strict=True):
        np.testing.assert_allclose(result.reshape(SHAPE), factor * given, rtol=1e-6)
    for i, a in enumerate(results):
        assert all(not np.shares_memory(a, b) for b in (*results[:i], given))
