"""Batch after batch on a GPU: copies beside the work, smaller batches where memory ends, errors that are survived."""

from __future__ import annotations

import numpy as np
import pytest

import nb3d
from nb3d.plan.on_gpu import SLOTS
from tests.cuda.gpu import pretend
from tests.cuda.wheels import needed

pytestmark = needed
VALUES = np.random.default_rng(0).standard_normal((7, 4, 4, 4, 2)).astype(np.float32)


@pytest.fixture
def gpu(monkeypatch):
    return pretend(monkeypatch)


@pytest.fixture
def model():
    nb3d.utils.set_random_seed(2)
    x = nb3d.Input((4, 4, 4, 2))
    y = nb3d.layers.Conv3D(4, 3, padding="same", activation="relu")(x)
    return nb3d.Model(x, [y, nb3d.layers.GlobalAveragePooling3D()(y)])


def assert_right(model, results):
    for ours, theirs in zip(results, model.predict(VALUES, device="cpu"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_many_batches_are_right(gpu, model, length):
    assert_right(model, model.predict(VALUES, batch_size=length, device="cuda"))


def test_the_next_batch_is_sent_before_the_last_one_has_arrived(gpu, model):
    model.predict(VALUES[:6], batch_size=2, device="cuda")
    order = [name for name, *_ in gpu.calls if name in ("send", "arrived")]
    assert order == ["send", "send", "arrived", "arrived", "send", "arrived", "arrived", "arrived", "arrived"]


def test_no_more_memory_than_two_batches_is_taken(gpu, model):
    model.predict(VALUES[:6], batch_size=1, device="cuda")
    allocated = gpu.allocations
    model.predict(VALUES[:6], batch_size=1, device="cuda")
    assert gpu.allocations == allocated
    assert len({address for name, address in (call[:2] for call in gpu.calls) if name == "send"}) == SLOTS


def test_a_batch_that_does_not_fit_is_halved(gpu, model):
    room, sizes = gpu.allocate, []

    def allocate(size):
        sizes.append(size)
        if size > 6000:
            raise MemoryError("the card is small")
        return room(size)

    gpu.allocate = allocate
    assert_right(model, model.predict(VALUES, device="cuda"))
    assert max(sizes) > 6000


def test_a_batch_that_was_asked_for_is_not_halved(gpu, model):
    gpu.allocate = _no_room
    with pytest.raises(MemoryError, match="the card is small"):
        model.predict(VALUES, batch_size=4, device="cuda")
    with pytest.raises(MemoryError, match="the card is small"):
        model.predict(VALUES[:1], device="cuda")
    assert_right(model, model.predict(VALUES, device="cpu"))


def test_a_batch_that_does_not_fit_leaves_nothing_behind(gpu, model):
    whole = gpu.allocate
    gpu.allocate = lambda size: _no_room(size) if size > 1 << 14 else whole(size)
    with pytest.raises(MemoryError):
        model.predict_on_batch(np.concatenate([VALUES] * 8), device="cuda")
    assert not model.function("cuda")._plans


def test_plans_that_nobody_runs_make_room(gpu, model):
    """A card that holds one plan, but not two."""
    live, place, release, room = {}, gpu.allocate, gpu.free, [1 << 20]

    def allocate(size):
        if sum(live.values()) + size > room[0]:
            raise MemoryError("the card is small")
        address = place(size)
        live[address] = size
        return address

    gpu.allocate, gpu.free = allocate, lambda address: (live.pop(address), release(address))
    for count in (4, 3, 4):
        ours = model.predict_on_batch(VALUES[:count], device="cuda")
        for one, two in zip(ours, model.predict(VALUES[:count], device="cpu"), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
        assert len(model.function("cuda")._plans) == 1
        if count == 4:  # the larger plan just fits
            room[0] = sum(live.values()) + 1000
    with pytest.raises(MemoryError):
        model.predict_on_batch(np.concatenate([VALUES] * 4), device="cuda")
    assert sum(live.values()) == 0


def test_after_a_lost_gpu_the_cpu_still_works(gpu, model):
    model.predict(VALUES, device="cuda")

    def lost(*arguments):
        raise RuntimeError("The NVIDIA driver reports CUDA_ERROR_LAUNCH_FAILED.")

    gpu.read = gpu.fetch = lost
    for options in ({}, {"batch_size": 2}):
        with pytest.raises(RuntimeError, match="CUDA_ERROR_LAUNCH_FAILED"):
            model.predict(VALUES, device="cuda", **options)
    assert_right(model, model.predict(VALUES, device="cpu"))


def test_every_step_is_timed_on_the_gpu(gpu, model, monkeypatch, capsys):
    monkeypatch.setenv("NB3D_DEBUG", "2")
    assert_right(model, model.predict(VALUES, device="cuda"))
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("nb3d:")]
    assert any("conv3d" in line and "1.000 ms" in line for line in lines)  # what the interpreter says it took
    assert any("mean" in line for line in lines)


def _no_room(size):
    raise MemoryError("the card is small")


def test_a_step_on_the_host_is_timed_there(gpu, monkeypatch, capsys):
    monkeypatch.setenv("NB3D_DEBUG", "2")
    x = nb3d.Input((4,))
    with pytest.warns(RuntimeWarning, match="on the host"):
        nb3d.function([x], [nb3d.activations.sparsemax(x)], device="cuda")([VALUES[0, 0, 0, :2].repeat(2, 1)])
    assert "reference" in capsys.readouterr().err
