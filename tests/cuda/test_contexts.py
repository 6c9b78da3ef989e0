"""Whatever nb3d does, a thread's CUDA context is afterwards what it was before; the driver is a stub."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

import nb3d
from nb3d.kernels.cuda.program import Program
from nb3d.models import gpu_trial
from tests.cuda.stub import LOST, OUT_OF_MEMORY, Api, pretend

VALUES = np.zeros((5, 4), np.float32)


class Interface:
    """An array of another library."""

    shape = VALUES.shape
    __cuda_array_interface__ = {  # noqa: RUF012
        "shape": shape, "typestr": "<f4", "data": (1 << 40, False), "version": 3, "stream": 9,
    }  # fmt: skip


@pytest.fixture(params=[[], ["another"]], ids=["no context before", "another context before"])
def before(request):
    return request.param


@pytest.fixture
def api(monkeypatch, before):
    monkeypatch.setattr(Program, "machine_code", lambda *arguments: ("entry", b"code"))
    gc.freeze()  # what is there already need not be looked at by the collections below
    api = Api()
    api.contexts[threading.get_ident()].extend(before)
    api.runtime = pretend(monkeypatch, api)
    yield api
    gc.collect()
    assert api.contexts[threading.get_ident()] == before
    assert api.astray == []


def chain(length: int = 2) -> nb3d.Model:
    x = y = nb3d.Input((4,), name="x")
    for _ in range(length):
        y = nb3d.layers.Softmax()(nb3d.layers.Dense(4)(y))
    return nb3d.Model(x, y)


RUNS = {
    "a batch": lambda model: model.predict_on_batch(VALUES, device="cuda"),
    "batches that overlap": lambda model: model.predict(VALUES, batch_size=1, device="cuda"),
    "every value looked at": lambda model: model.predict(VALUES, device="cuda", check_finite=True),
    "an array of another library": lambda model: model.predict_on_batch(Interface(), device="cuda"),
    "results that stay": lambda model: model.predict_on_device(VALUES),
    "a stream": lambda model: model.predict_on_device(Interface(), stream=5),
    "a capsule": lambda model: model.predict_on_device(VALUES).__dlpack__(stream=6),
    "an interface": lambda model: model.predict_on_device(VALUES).__cuda_array_interface__,
    "a copy on the host": lambda model: np.asarray(model.predict_on_device(VALUES)),
}


@pytest.mark.parametrize("graphs", [True, False], ids=["a graph", "single launches"])
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_the_context_is_what_it_was(api, before, run, graphs):
    if not graphs:
        api.fails["cuStreamBeginCapture"] = LOST
    model = chain()
    for _ in range(3):
        kept = run(model)
        assert api.contexts[threading.get_ident()] == before
    assert "cuLaunchKernel" in api.names()
    assert ("cuGraphLaunch" in api.names()) == (graphs and run is not RUNS["every value looked at"])
    del kept, model
    gc.collect()
    assert "cuMemFree" in api.names()


def test_the_doctors_trial_leaves_it(api, monkeypatch):
    monkeypatch.setattr(gpu_trial, "NETWORKS", {"small": lambda x: nb3d.layers.Softmax()(nb3d.layers.ReLU()(x))})
    assert [result.name for result in gpu_trial.trial()] == ["small, float32"]


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("cuMemAlloc", OUT_OF_MEMORY, MemoryError), ("cuMemAlloc", LOST, RuntimeError),
        ("cuMemcpyHtoDAsync", LOST, RuntimeError), ("cuModuleLoadData", LOST, RuntimeError),
        ("cuLaunchKernel", LOST, RuntimeError), ("cuGraphLaunch", LOST, RuntimeError),
        ("cuStreamSynchronize", LOST, RuntimeError), ("cuCtxPushCurrent", LOST, RuntimeError),
    ],
)  # fmt: skip
def test_an_error_names_the_remedy_and_the_cpu_goes_on(api, before, name, status, error):
    model = chain()
    api.fails[name] = status
    with pytest.raises(error, match="device='cpu'"):
        model.predict_on_batch(VALUES, device="cuda")
    assert api.contexts[threading.get_ident()] == before
    np.testing.assert_allclose(model.predict(VALUES, device="cpu").sum(axis=-1), 1.0, rtol=1e-6)


def test_a_turn_that_cannot_begin_is_not_kept_from_others(api):
    api.fails["cuCtxPushCurrent"] = LOST
    with pytest.raises(RuntimeError, match="CUDA_ERROR_LOST"), api.runtime.turn:
        raise AssertionError("it has begun")
    api.fails.clear()
    seen = []

    def other():
        with api.runtime.turn:
            seen.extend(api.contexts[threading.get_ident()])

    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    thread.join(10)
    assert seen == ["context"]


def test_memory_is_given_back_by_whichever_thread_finds_it(api):
    things = [api.runtime.allocate((3,), "float32"), api.runtime.pinned(api.runtime.allocate((3,), "float32"))]
    api.calls.clear()
    seen = []

    def collector():
        things.clear()
        gc.collect()
        seen.extend([*api.names(), api.contexts[threading.get_ident()]])

    thread = threading.Thread(target=collector)
    with api.runtime.turn:  # it waits for nobody
        thread.start()
        thread.join(10)
    assert sorted(seen[:-1]) == ["cuMemFree", "cuMemFreeHost"]
    assert seen[-1] == []


def test_launches_cost_no_context_each(api):
    api.fails["cuStreamBeginCapture"] = LOST
    entered, launches = [], []
    for length in (2, 6):
        model = chain(length)
        model.predict_on_batch(VALUES, device="cuda")
        api.calls.clear()
        api.entered = 0
        model.predict_on_batch(VALUES, device="cuda")
        entered.append(api.entered)
        launches.append(api.names().count("cuLaunchKernel"))
    assert launches[1] > launches[0]
    assert entered == [1, 1]
