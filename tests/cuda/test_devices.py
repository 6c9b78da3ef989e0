"""Which device a name means, on a machine with and without CUDA."""

from __future__ import annotations

import numpy as np
import pytest

from nb3d.kernels import devices


@pytest.fixture
def fresh():
    devices._probe_cuda.cache_clear()
    yield
    devices._probe_cuda.cache_clear()


def test_cpu_is_the_first_device_and_always_there():
    cpu = devices.devices()[0]
    assert cpu.name == "cpu"
    assert cpu.available()[0]
    assert devices.resolve("cpu") is cpu


def test_auto_never_fails():
    assert devices.resolve("auto").name == "cpu"
    assert devices.resolve().name == "cpu"


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="Unknown device 'gpu': choose 'auto', 'cpu', 'cuda'"):
        devices.resolve("gpu")


def test_cuda_by_name_without_the_package_says_how_to_get_it(monkeypatch, fresh):
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r'pip install "nb3d\[cuda\]"'):
        devices.resolve("cuda")


def test_cuda_without_a_driver(monkeypatch, fresh):
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(devices, "_driver", lambda: None)
    with pytest.raises(RuntimeError, match="libcuda"):
        devices.resolve("cuda")


class _Driver:
    def __init__(self, status, count):
        self._status, self._count = status, count

    def cuInit(self, flags):
        return self._status

    def cuDeviceGetCount(self, pointer):
        pointer._obj.value = self._count
        return 0


@pytest.mark.parametrize(
    ("status", "count", "usable", "words"),
    [(100, 0, False, "error 100"), (0, 0, False, "finds no GPU"), (0, 2, True, "2 GPUs")],
)
def test_what_the_driver_says(monkeypatch, fresh, status, count, usable, words):
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(devices, "_driver", lambda: _Driver(status, count))
    available, reason = devices.devices()[1].available()
    assert available is usable
    assert words in reason


def test_the_simulator_is_no_device(monkeypatch, fresh):
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
    available, reason = devices.devices()[1].available()
    assert not available
    assert "simulator" in reason


def test_cpu_moves_nothing():
    cpu = devices.resolve("cpu")
    array = np.ones(3, np.float32)
    assert cpu.upload(array) is array
    assert cpu.download(array) is array
    assert cpu.allocate((2, 3), "float64").shape == (2, 3)
