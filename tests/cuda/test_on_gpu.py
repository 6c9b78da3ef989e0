"""On a real GPU (`make test-gpu`): every kernel on fresh data, whole networks, the driver's own behaviour."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nb3d
from nb3d.kernels import devices, policy
from nb3d.kernels.cuda.launches import recording
from tests.cuda.interpreted import compute_on
from tests.cuda.precisions import expected
from tests.cuda.programs import pairs
from tests.cuda.test_network import unet, volumes
from tests.kernels.compare import assert_close

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not devices.CUDA.available()[0], reason=f"no GPU: {devices.CUDA.available()[1]}"),
]
PAIRS = [
    pytest.param(implementation, example, id=f"{implementation.name}: {example.name}")
    for implementation, example in (pairs(most=1e12) if devices.CUDA.available()[0] else ())
]
MODELS = sorted(Path(os.environ["NB3D_MODELS"]).glob("**/*.keras")) if "NB3D_MODELS" in os.environ else []


@pytest.mark.parametrize(("implementation", "example"), PAIRS)
def test_agrees_with_the_reference(implementation, example):
    fresh = replace(example, name=f"{example.name} {np.random.default_rng().integers(2**32)}")  # seeds the data
    assert_close(fresh, compute_on(devices.gpu(), implementation, fresh), expected(implementation.name, fresh))


@pytest.mark.parametrize("precision", policy.PRECISIONS)
def test_a_network_computes_what_the_cpu_computes(precision, monkeypatch):
    monkeypatch.setattr(policy, "_chosen", policy.Policy(precision=precision))
    model, x = unet(), volumes(3)
    bound = {"float32": 1e-5, "fast_float32": 1e-5, "tf32": 1e-2, "bfloat16": 5e-2}[precision]
    for ours, theirs in zip(model.predict(x, device="cuda"), model.predict(x, device="cpu"), strict=True):
        assert np.abs(ours - theirs).max() <= bound * np.abs(theirs).max()


def test_a_repeated_run_gives_the_same_bits():
    model, x = unet(), volumes(2)
    first, second = (model.predict(x, device="cuda")[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_launches_are_captured_as_a_graph():
    runtime, launches = devices.gpu(), []
    implementation, example = next(pairs(most=1e6))
    inputs = [runtime.upload(array) for array in implementation.prepare(example.case, example.inputs())]
    with recording(launches.append):
        implementation.load(example.case)(*inputs, runtime.upload(example.out()), None, *example.case.params)
    with runtime.turn:
        assert runtime.driver.capture(lambda: None) is not None
    assert runtime.bind([*launches, *launches]).__name__ == "replay"


def test_too_much_memory_is_a_clear_error_and_the_gpu_goes_on():
    with pytest.raises(MemoryError, match="choose a smaller batch_size"):
        devices.gpu().allocate((1 << 50,), "uint8")
    assert np.isfinite(unet().predict(volumes(1), device="cuda")[0]).all()


def test_many_batches_are_right_and_a_repeated_one_gives_the_same_bits():
    model, x = unet(), volumes(11)
    whole, parts, again = (model.predict(x, batch_size=size, device="cuda") for size in (11, 2, 2))
    for one, two, three in zip(whole, parts, again, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(two, three)


def test_pytorch_reads_results_and_is_read():
    torch = pytest.importorskip("torch")
    model, x = unet(), volumes(2)
    expected = model.predict_on_batch(x, device="cuda")
    volume = torch.from_numpy(x).cuda()
    channels_last = volume.permute(0, 4, 1, 2, 3).contiguous(memory_format=torch.channels_last_3d)
    for _ in range(3):
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            doubled = channels_last * 2
            results = model.predict_on_device((doubled / 2).permute(0, 2, 3, 4, 1), stream=stream)
            sums = [torch.from_dlpack(result).sum() for result in results]
        stream.synchronize()
        for result, total, want in zip(results, sums, expected, strict=True):
            np.testing.assert_array_equal(result.numpy(), want)
            np.testing.assert_allclose(total.cpu().numpy(), want.sum(), rtol=1e-4)
    for ours, want in zip(model.predict_on_batch(volume, device="cuda"), expected, strict=True):
        np.testing.assert_array_equal(ours, want)
    with pytest.raises(ValueError, match="C-contiguous"):
        model.predict_on_device(volume.transpose(1, 2))


def test_cupy_reads_results_and_is_read():
    cupy = pytest.importorskip("cupy")
    model, x = unet(), volumes(1)
    segmentation, label = model.predict_on_device(cupy.asarray(x))
    for result, want in zip((segmentation, label), model.predict_on_batch(x, device="cuda"), strict=True):
        np.testing.assert_array_equal(cupy.asnumpy(cupy.asarray(result)), want)


def test_a_step_on_the_host_between_steps_on_the_gpu():
    x = nb3d.Input((6,))
    model = nb3d.Model(x, nb3d.activations.sparsemax(nb3d.layers.Dense(5)(x)) * 2.0)
    values = np.random.default_rng(0).standard_normal((4, 6))
    with pytest.warns(RuntimeWarning, match="on the host"):
        ours = model.predict(values, device="cuda")
    np.testing.assert_allclose(ours, model.predict(values, device="cpu"), rtol=1e-4, atol=1e-6)


def test_offsets_beyond_32_bits():
    x = nb3d.Input((None, 64, 64, 64))
    f = nb3d.function([x], [nb3d.ops.max(nb3d.layers.ReLU()(x), axis=(1, 2, 3))], device="cuda")
    values = np.zeros((1, 8300, 64, 64, 64), np.float32)  # 2.2e9 values
    values[0, -1, -1, -1] = np.arange(64)
    np.testing.assert_array_equal(f([values])[0], np.arange(64)[None])


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_saved_models_compute_what_the_cpu_computes(path):
    model = nb3d.models.load_model(path)
    sizes = [tuple(size or 16 for size in tensor.shape[1:]) for tensor in model.inputs]
    x = [np.random.default_rng(0).standard_normal((2, *size)).astype(np.float32) for size in sizes]
    ours, theirs = (model.predict_on_batch(x, device=name) for name in ("cuda", "cpu"))
    for a, b in zip(np.atleast_1d(ours) if isinstance(ours, list) else [ours],
                    theirs if isinstance(theirs, list) else [theirs], strict=True):  # fmt: skip
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
