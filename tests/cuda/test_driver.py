"""What the NVIDIA driver is asked, by a driver that only writes down the calls."""

from __future__ import annotations

import ctypes
import gc

import numpy as np
import pytest

from nb3d.kernels.cuda.driver import Nvidia
from tests.cuda.programs import launches_of, pairs
from tests.cuda.stub import LOST, OUT_OF_MEMORY, Api


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def driver(api):
    result = Nvidia(api)
    api.calls.clear()
    result.enter()
    yield result
    result.leave()
    assert api.astray == []


def test_the_architecture_follows_the_capability(driver):
    assert driver.architecture == "sm_99"


def test_a_launch_lays_out_its_parameters_once(api, driver):
    run = driver.bind("kernel", (5, 2, 1), 128, 61248, [("uint64", 1 << 40), ("float32", 0.5)])
    assert api.calls == []
    run()
    run()
    assert [call[:9] for call in api.calls] == [("cuLaunchKernel", "kernel", 5, 2, 1, 128, 1, 1, 61248)] * 2
    assert api.parameters == [1 << 40, 0.5]


@pytest.mark.parametrize(("shared", "asked"), [(48 * 1024, False), (61248, True)])
def test_much_shared_memory_must_be_asked_for(api, driver, shared, asked):
    assert driver.load(b"code", "entry", shared) == "kernel"
    assert ("cuFuncSetAttribute" in api.names()) is asked


def test_out_of_memory_says_how_much_there_is_and_what_to_do(api, driver):
    api.fails["cuMemAlloc"] = OUT_OF_MEMORY
    with pytest.raises(MemoryError, match=r"1.00 GiB free of 2.00 GiB, and 4.00 GiB more are needed: choose a smaller"):
        driver.allocate(4 << 30)


def test_a_lost_device_is_an_error_with_the_remedy(api, driver):
    api.fails["cuStreamSynchronize"] = LOST
    with pytest.raises(RuntimeError, match=r"reports CUDA_ERROR_LOST.*device='cpu'"):
        driver.read(4096, np.empty(3, np.float32))


def test_launches_become_one_graph(api, driver):
    replay = driver.capture(lambda: api.calls.append(("run",)))
    assert api.names() == ["cuStreamBeginCapture", "run", "cuStreamEndCapture", "cuGraphInstantiate", "cuGraphDestroy"]
    api.calls.clear()
    replay()
    assert api.names() == ["cuGraphLaunch"]
    del replay
    gc.collect()
    assert api.names()[1:] == ["cuGraphExecDestroy"]


def test_nothing_is_collected_while_a_graph_is_made(api, driver):
    seen = []
    driver.capture(lambda: seen.append(gc.isenabled()))
    assert seen == [False]
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        driver.capture(lambda: 1 / 0)
    assert gc.isenabled()
    assert api.names()[-2:] == ["cuStreamEndCapture", "cuGraphDestroy"]


@pytest.mark.parametrize("name", ["cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiate"])
def test_where_there_are_no_graphs_launches_stay_single(api, driver, name):
    api.fails[name] = LOST
    assert driver.capture(lambda: None) is None


def test_times_are_those_of_events(api, driver):
    assert driver.elapsed(lambda: None, 3) == [0.002] * 3
    assert api.names().count("cuEventDestroy") == 4


def test_an_address_lies_on_a_gpu(driver):
    assert driver.home_of(4096) == driver.number == 0


def test_an_address_of_no_gpu_has_no_home(api, driver):
    api.fails["cuPointerGetAttribute"] = LOST
    assert driver.home_of(4096) is None


def test_a_copy_beside_the_work_has_a_stream_of_its_own_that_the_work_waits_for(api, driver):
    array = np.zeros(3, np.float32)
    driver.send(4096, array)
    (copy, *rest) = api.calls
    assert copy == ("cuMemcpyHtoDAsync", 4096, array.ctypes.data, 12, 23)
    assert [call[0] for call in rest] == ["cuEventCreate", "cuEventRecord", "cuStreamWaitEvent", "cuEventDestroy"]
    assert rest[1] == ("cuEventRecord", "event", 23)
    assert rest[2][1] == driver.stream


def test_a_copy_back_is_waited_for_when_it_is_wanted(api, driver):
    wait = driver.fetch(4096, np.empty(3, np.float32))
    assert api.names() == ["cuMemcpyDtoHAsync", "cuEventCreate", "cuEventRecord"]
    wait()
    assert api.names()[3:] == ["cuEventSynchronize"]
    del wait
    gc.collect()
    assert api.names()[4:] == ["cuEventDestroy"]


def test_a_copy_back_that_nobody_waits_for_leaves_nothing(api, driver):
    driver.fetch(4096, np.empty(3, np.float32))
    gc.collect()
    assert api.names()[-1] == "cuEventDestroy"


def test_other_streams_wait_and_are_waited_for(api, driver):
    driver.wait_for(5)
    driver.let_wait(6)
    recorded = [call[2] for call in api.calls if call[0] == "cuEventRecord"]
    waiting = [call[1] for call in api.calls if call[0] == "cuStreamWaitEvent"]
    assert (recorded, waiting) == ([5, driver.stream], [driver.stream, 6])


def test_pinned_memory_is_given_back_with_the_last_view(api, driver):
    room = ctypes.create_string_buffer(64)
    api.values["cuMemHostAlloc"] = ctypes.addressof(room)
    memory = driver.pinned(16)
    view = memory[:8].view(np.float32)
    view[:] = 1.5
    assert bytes(room)[:8] == np.full(2, 1.5, np.float32).tobytes()
    del memory
    gc.collect()
    assert "cuMemFreeHost" not in api.names()
    del view
    gc.collect()
    assert "cuMemFreeHost" in api.names()


def test_no_pinned_memory_is_a_memory_error(api, driver):
    api.fails["cuMemHostAlloc"] = OUT_OF_MEMORY
    with pytest.raises(MemoryError, match=r"The host has no 1.00 GiB of memory for copies"):
        driver.pinned(1 << 30)


def test_memory_of_a_lost_gpu_is_let_go_without_a_word(api, driver):
    api.fails["cuCtxPushCurrent"] = api.fails["cuMemFree"] = LOST
    driver.free(4096)


def test_every_launch_can_be_laid_out(api, driver):
    """Its numbers are of the types that the kernel takes; numbers of Python say nothing about that."""
    for pair in pairs(most=1e12):
        for item in launches_of(*pair):
            driver.bind("kernel", item.grid, item.program.threads, item.program.shared, item.parameters())
