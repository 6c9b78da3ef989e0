"""Whole networks with device='cuda', through plan, run time and compiled kernels; the GPU is the interpreter."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import nb3d
from tests.cuda.gpu import pretend
from tests.cuda.wheels import needed

pytestmark = needed
layers = nb3d.layers


@pytest.fixture
def gpu(monkeypatch):
    return pretend(monkeypatch)


def unet() -> nb3d.Model:
    nb3d.utils.set_random_seed(3)
    x = nb3d.Input((4, 4, 4, 2))
    a = layers.Conv3D(8, 3, padding="same", use_bias=False)(x)
    a = layers.BatchNormalization(beta_initializer="random_normal", moving_mean_initializer="random_normal")(a)
    a = layers.ReLU()(a)
    b = layers.MaxPooling3D(2)(a)
    b = layers.Conv3D(12, 3, padding="same", activation="elu")(b)
    c = layers.Conv3DTranspose(8, 2, strides=2, padding="same")(b)
    c = layers.Concatenate()([a, c])
    c = layers.Add()([layers.Conv3D(8, 3, padding="same")(c), a])
    segmentation = layers.Conv3D(3, 1, activation="softmax")(c)
    label = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling3D()(b))
    return nb3d.Model(x, [segmentation, label])


def volumes(count: int = 2) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((count, 4, 4, 4, 2)).astype(np.float32)


def test_a_network_computes_what_the_cpu_computes(gpu):
    model, x = unet(), volumes()
    for ours, theirs in zip(model.predict(x, device="cuda"), model.predict(x, device="cpu"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_second_run_launches_the_same_and_allocates_nothing(gpu):
    model, x = unet(), volumes()
    first = model.predict_on_batch(x, device="cuda")
    launches, used = gpu.launches, gpu.allocations
    second = model.predict_on_batch(x, device="cuda")
    assert gpu.launches == 2 * launches
    assert gpu.allocations == used
    for before, after in zip(first, second, strict=True):
        np.testing.assert_array_equal(before, after)


def test_threads_take_turns(gpu):
    x = nb3d.Input((2,))
    f = nb3d.function([x], [nb3d.ops.exp(x) + x], device="cuda")
    arrays = [np.full((4, 2), number, np.float32) for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for array, (result,) in zip(arrays, pool.map(lambda array: f([array]), arrays), strict=True):
            np.testing.assert_allclose(result, np.exp(array) + array, rtol=1e-6)


def test_new_weights_are_seen(gpu):
    model, x = unet(), volumes(1)
    before = model.predict(x, device="cuda")[1]
    model.layers[-1].set_weights([np.zeros_like(w) for w in model.layers[-1].get_weights()])
    after = model.predict(x, device="cuda")[1]
    assert np.abs(before - after).max() > 1e-3
    np.testing.assert_allclose(after, model.predict(x, device="cpu")[1], rtol=1e-5)


def test_memory_is_given_back_with_the_model(gpu):
    model = unet()
    model.predict(volumes(1), device="cuda")
    assert gpu.allocations > gpu.releases
    del model
    gc.collect()
    assert gpu.allocations == gpu.releases


def test_plans_for_several_shapes_have_one_copy_of_the_weights(gpu):
    x = nb3d.Input((None, 8))
    model = nb3d.Model(x, layers.Dense(16)(x))
    sizes, place = [], gpu.allocate
    gpu.allocate = lambda size: (sizes.append(size), place(size))[1]
    for length in (3, 5, 3):
        values = np.random.default_rng(length).standard_normal((1, length, 8))
        ours = model.predict_on_batch(values, device="cuda")
        np.testing.assert_allclose(ours, model.predict(values, device="cpu"), rtol=1e-5, atol=1e-6)
    (weights,) = {size for size in sizes if size > 1000}
    assert sizes.count(weights) == 1


def test_every_step_can_be_validated(gpu, monkeypatch):
    monkeypatch.setenv("NB3D_VALIDATE", "1")
    model, x = unet(), volumes(1)
    np.testing.assert_allclose(model.predict(x, device="cuda")[0], model.predict(x, device="cpu")[0], atol=1e-5)


def test_the_first_value_that_is_not_finite_is_named(gpu):
    x = nb3d.Input((2,))
    model = nb3d.Model(x, layers.Dense(1, name="second")(layers.Dense(3, activation="relu", name="first")(x)))
    values = np.ones((1, 2), np.float32)
    np.testing.assert_allclose(
        model.predict(values, device="cuda", check_finite=True), model.predict(values, device="cpu"), rtol=1e-5
    )
    kernel, bias = model.layers[1].get_weights()
    model.layers[1].set_weights([kernel, bias + np.inf])
    with pytest.raises(FloatingPointError, match=r"Layer 'first' .*a weight of the layer is not finite"):
        model.predict(values, device="cuda", check_finite=True)


def test_a_nan_goes_where_the_definition_sends_it(gpu, monkeypatch):
    monkeypatch.setenv("NB3D_ALGORITHM", "strict")  # on the CPU a fast algorithm may spread it over a tile
    x = nb3d.Input((4, 4, 4, 2))
    model = nb3d.Model(x, layers.Conv3D(3, 3, padding="same", activation="relu")(x))
    values = volumes(1)
    values[0, 0, 0, 0, 0] = np.nan
    ours, theirs = (model.predict(values, device=name) for name in ("cuda", "cpu"))
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    assert np.isnan(ours).any()
    assert not np.isnan(ours).all()


def test_a_step_without_a_kernel_runs_on_the_host_and_is_named(gpu):
    x = nb3d.Input((6,))
    model = nb3d.Model(x, nb3d.layers.ReLU()(nb3d.activations.sparsemax(nb3d.layers.Dense(4, name="first")(x)) + 1.0))
    values = np.random.default_rng(0).standard_normal((3, 6))
    with pytest.warns(RuntimeWarning, match=r"'cuda': 1 steps run on the host.*'sparsemax' has no kernel for device"):
        ours = model.predict(values, device="cuda")
    np.testing.assert_allclose(ours, model.predict(values, device="cpu"), rtol=1e-5, atol=1e-6)
    with pytest.warns(RuntimeWarning, match="on the host"):
        text = str(model.plan(device="cuda"))
    assert "host: reference" in text
    assert "not cuda: 'sparsemax' has no kernel" in text


def test_inputs_that_are_outputs_and_losses(gpu):
    x = nb3d.Input((2,))
    f = nb3d.function([x], [x, nb3d.ops.mean(x), x + 1.0], device="cuda")
    same, mean, more = f([np.array([[1.0, 3.0]])])
    assert (same.tolist(), mean.tolist(), more.tolist()) == ([[1, 3]], 2, [[2, 4]])


def test_too_large_a_network_is_a_memory_error(gpu):
    model = unet()
    gpu.capacity = gpu.memory_used
    with pytest.raises(MemoryError):
        model.predict(volumes(1), device="cuda")
    assert np.isfinite(model.predict(volumes(1), device="cpu")[0]).all()


def test_operands_of_a_concatenation_are_written_in_their_place(gpu, monkeypatch):
    x = nb3d.Input((4, 4, 4, 4))
    skip = layers.Conv3D(8, 3, padding="same", activation="relu")(x)
    low = layers.Conv3D(12, 3, padding="same")(layers.MaxPooling3D(2)(skip))
    up = layers.Conv3DTranspose(5, 2, strides=2)(low)
    model = nb3d.Model(x, layers.Conv3D(2, 3, padding="same")(layers.Concatenate()([up, skip])))
    values = np.random.default_rng(0).standard_normal((2, 4, 4, 4, 4)).astype(np.float32)
    plan = model.plan((2, 4, 4, 4, 4), device="cuda").schedule
    (whole,) = (item for item in plan.steps if item.case.op == "concatenate")
    assert whole.step.output in plan.views
    expected = model.predict(values, device="cpu")
    np.testing.assert_allclose(model.predict_on_batch(values, device="cuda"), expected, rtol=1e-4, atol=1e-5)
    monkeypatch.setenv("NB3D_VALIDATE", "1")
    np.testing.assert_allclose(model.predict_on_batch(values, device="cuda"), expected, rtol=1e-4, atol=1e-5)
    monkeypatch.delenv("NB3D_VALIDATE")
    ours = model.predict(values, device="cuda", check_finite=True)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)
