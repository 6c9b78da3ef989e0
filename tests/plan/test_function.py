"""`nb3d.function` and the executor: any outputs, live weights, updates, threads, caches, errors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import nb3d
from nb3d import layers, ops
from nb3d.plan.function import KEPT_PLANS
from tests.plan.networks import SHAPE, randomized, volume


def small_model() -> nb3d.Model:
    x = nb3d.Input((None, None, None, 3))
    y = layers.Conv3D(4, 3, padding="same", activation="relu")(x)
    z = layers.Conv3D(2, 1)(layers.BatchNormalization()(y))
    model = nb3d.Model(x, z)
    randomized(model)
    return model


def test_intermediate_tensors_can_be_fed_and_fetched() -> None:
    x = nb3d.Input((3,))
    middle = x * 2
    y = middle + 1
    np.testing.assert_allclose(nb3d.function([middle], [y])([np.ones((1, 3))])[0], np.full((1, 3), 2.0))
    both = nb3d.function([x], [middle, y])([np.ones((2, 3))])
    assert [array.shape for array in both] == [(2, 3), (2, 3)]


def test_an_output_may_be_an_input_a_variable_or_the_same_tensor_twice() -> None:
    x = nb3d.Input((2,))
    variable = nb3d.Variable(np.arange(3, dtype="float32"))
    y = x + 1
    got = nb3d.function([x], [x, variable, y, y])([np.ones((1, 2))])
    np.testing.assert_array_equal(got[0], np.ones((1, 2)))
    np.testing.assert_array_equal(got[1], [0, 1, 2])
    np.testing.assert_array_equal(got[2], got[3])


def test_results_are_the_callers_own() -> None:
    model = small_model()
    first = model.predict(volume(), verbose=0)
    copy = first.copy()
    model.predict(volume(5), verbose=0)
    np.testing.assert_array_equal(first, copy)


def test_weights_assigned_later_are_used() -> None:
    model = small_model()
    x = volume()
    before = model.predict(x, verbose=0)
    model.layers[1].kernel.assign(model.layers[1].kernel.numpy() * 2)
    after = model.predict(x, verbose=0)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, model(x, training=False), rtol=1e-6)


def test_updates_run_once_per_call_and_see_the_old_values() -> None:
    x = nb3d.Input((1,))
    counter = nb3d.Variable(np.zeros(1, "float32"))
    total = ops.sum(x, axis=0)
    f = nb3d.function([x], [counter, total], updates=[ops.assign_add(counter, total)])
    assert f([np.ones((2, 1))])[0] == 0
    assert f([np.ones((2, 1))])[0] == 2
    assert counter.numpy() == 4


def test_an_assignment_of_an_array_is_an_update() -> None:
    counter = nb3d.Variable(np.zeros(2, "float32"))
    f = nb3d.function([], [], updates=[ops.assign_add(counter, np.array([1.0, 2.0]))])
    f([])
    f([])
    np.testing.assert_array_equal(counter.numpy(), [2.0, 4.0])


def test_planned_equals_eager() -> None:
    model = small_model()
    x = volume()
    eager = x
    for layer in model.layers[1:]:
        eager = layer(eager)
    np.testing.assert_allclose(model.predict(x, verbose=0), eager, rtol=1e-5, atol=1e-6)


def test_predict_from_several_threads_gives_the_same_bits() -> None:
    model = small_model()
    inputs = [volume(seed) for seed in range(8)]
    want = [model.predict(x, verbose=0) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda x: model.predict(x, verbose=0), inputs * 4))
    for array, expected in zip(got, want * 4, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_results_do_not_depend_on_the_batch_size() -> None:
    model = small_model()
    x = volume(shape=(7, *SHAPE[1:]))
    whole = model.predict(x, batch_size=7, verbose=0)
    for size in (None, 1, 3):
        np.testing.assert_array_equal(model.predict(x, batch_size=size, verbose=0), whole)


def test_plans_are_kept_and_let_go() -> None:
    model = small_model()
    function = model.function()
    first = function.executor([SHAPE])
    assert function.executor([SHAPE]) is first
    for size in range(KEPT_PLANS + 1):
        function.executor([(1, size + 1, 4, 4, 3)])
    assert function.executor([SHAPE]) is not first


def test_nothing_is_allocated_between_runs_but_the_result() -> None:
    model = small_model()
    x = volume()
    model.predict(x, verbose=0)
    executor = model.function().executor([SHAPE])
    (bound,) = executor._idle
    addresses = {value: view.ctypes.data for value, view in bound.views.items()}
    model.predict(x, verbose=0)
    assert executor._idle == [bound]
    assert {value: view.ctypes.data for value, view in bound.views.items()} == addresses


def test_the_arena_is_smaller_than_the_sum_of_its_values() -> None:
    x = nb3d.Input((8, 8, 8, 4))
    y = x
    for _ in range(6):
        y = layers.Conv3D(4, 3, padding="same")(y)
    plan = nb3d.Model(x, y).plan()
    one = 8 * 8 * 8 * 4 * 4
    assert plan.schedule.layout.size <= 3 * one


def test_the_plan_prints_steps_kernels_and_totals() -> None:
    text = str(small_model().plan((8, 8, 8, 3)))
    for part in ("conv3d + add + relu", "FLOP", "arena", "kernel", "peak", "1x8x8x8x4"):
        assert part in text


def test_flops_are_counted_from_sizes() -> None:
    x = nb3d.Input((8, 8, 8, 3))
    plan = nb3d.Model(x, layers.Conv3D(4, 3, padding="same")(x)).plan()
    assert plan.flops == 2 * 8**3 * 4 * 27 * 3


@pytest.mark.parametrize(
    ("arrays", "error", "text"),
    [
        ([np.ones((2, 3)), np.ones((2, 3))], ValueError, "Expected 1 arrays, got 2"),
        ([np.ones((2, 4))], ValueError, r"expected an array of shape \(None, 3\), got \(2, 4\)"),
        ([np.ones(3)], ValueError, "expected an array of shape"),
        (np.ones((2, 3)), TypeError, "Expected a list"),
        ([np.array([["a", "b", "c"]])], ValueError, "expected numbers"),
    ],
)
def test_wrong_arrays_are_refused(arrays: object, error: type[Exception], text: str) -> None:
    x = nb3d.Input((3,))
    with pytest.raises(error, match=text):
        nb3d.function([x], [x + 1])(arrays)  # type: ignore[arg-type]


def test_a_symbol_where_an_array_is_needed_is_refused() -> None:
    x = nb3d.Input((3,))
    with pytest.raises(TypeError, match="symbolic"):
        nb3d.function([x], [x + 1])([x])
    with pytest.raises(TypeError, match="symbolic"):
        nb3d.Model(x, x + 1).predict(x)


def test_an_array_where_a_symbol_is_needed_is_refused() -> None:
    with pytest.raises(TypeError, match="symbolic"):
        nb3d.function([np.ones(3)], [])


def test_a_missing_input_is_named() -> None:
    x, other = nb3d.Input((3,)), nb3d.Input((3,), name="other")
    with pytest.raises(ValueError, match="other"):
        nb3d.function([x], [x + other])([np.ones((1, 3))])


@pytest.mark.parametrize("size", [0, -1, 1.5, "2", True])
def test_a_batch_size_that_is_no_positive_integer_is_refused(size: object) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        small_model().predict(volume(), batch_size=size, verbose=0)  # type: ignore[arg-type]


def test_no_samples_give_an_empty_result() -> None:
    x = nb3d.Input((4, 4, 4, 1))
    model = nb3d.Model(x, layers.Conv3D(2, 3)(x))
    assert model.predict(np.zeros((0, 4, 4, 4, 1)), verbose=0).shape == (0, 2, 2, 2, 2)
