"""Devices: which there are, whether they can be used, and what ``"auto"`` means. Loads no Numba.

A device has a name, says whether it is available and why not, and moves arrays: ``allocate``, ``upload``, ``download``.
Kernels of a device take its arrays. A device of another kind would be one more object in ``_DEVICES`` and its rows in
the table.

``"auto"`` is the CPU as long as CUDA has kernels for a few operations only; then it will be the first device available.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
from functools import cache
from typing import Any, Protocol

import numpy as np


class Device(Protocol):
    """Where kernels run."""

    @property
    def name(self) -> str:
        """The device column of the table: ``cpu``, ``cuda``."""

    def available(self) -> tuple[bool, str]:
        """Returns whether it can be used, and the reason why not (or what it is)."""

    def allocate(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Returns an array of the device, its content undefined."""

    def upload(self, array: np.ndarray) -> Any:
        """Returns an array of the device with the values of a NumPy array."""

    def download(self, array: Any) -> np.ndarray:
        """Returns a NumPy array with the values of an array of the device."""


class Cpu:
    """The host: its arrays are NumPy's."""

    name = "cpu"

    def available(self) -> tuple[bool, str]:
        """Always."""
        return True, f"{os.cpu_count() or 1} logical processors"

    def allocate(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns ``numpy.empty``."""
        return np.empty(shape, dtype)

    def upload(self, array: np.ndarray) -> np.ndarray:
        """Returns the array itself."""
        return array

    def download(self, array: np.ndarray) -> np.ndarray:
        """Returns the array itself."""
        return array


class Cuda:
    """The first NVIDIA GPU. Everything that needs Numba's CUDA goes through ``cuda/door.py``."""

    name = "cuda"

    def available(self) -> tuple[bool, str]:
        """Asks the driver, in milliseconds; the simulator does not count."""
        return _probe_cuda()

    def allocate(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Returns memory of the GPU."""
        return _door().cuda.device_array(shape, np.dtype(dtype))

    def upload(self, array: np.ndarray) -> Any:
        """Copies to the GPU."""
        return _door().cuda.to_device(np.ascontiguousarray(array))

    def download(self, array: Any) -> np.ndarray:
        """Copies from the GPU, after everything that writes there."""
        return np.asarray(array.copy_to_host())


def _door() -> Any:
    from nb3d.kernels.cuda import door

    return door


@cache
def _probe_cuda() -> tuple[bool, str]:
    if os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0"):
        return False, "NUMBA_ENABLE_CUDASIM is set, and the simulator is no device"
    if importlib.util.find_spec("numba_cuda") is None:
        return False, 'the package numba-cuda is not installed: pip install "nb3d[cuda]"'
    driver = _driver()
    if driver is None:
        return False, "the NVIDIA driver (libcuda) is not installed"
    count = ctypes.c_int(0)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if status != 0:
        return False, f"the NVIDIA driver reports error {status}"
    if count.value == 0:
        return False, "the NVIDIA driver finds no GPU"
    return True, f"{count.value} GPU{'s' if count.value > 1 else ''}"


def _driver() -> Any:
    """Returns the driver's library, ``None`` where there is none."""
    for name in ("libcuda.so.1", "libcuda.so", "nvcuda.dll"):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


_DEVICES: tuple[Device, ...] = (Cpu(), Cuda())


def devices() -> tuple[Device, ...]:
    """Returns every device that nb3d knows, available or not; the CPU is the first."""
    return _DEVICES


def resolve(name: str = "auto") -> Device:
    """Returns the device that a name means.

    Args:
        name: ``"auto"``, or the name of a device.

    Raises:
        RuntimeError: The device was asked for by name and is not available.
        ValueError: There is no device of that name.
    """
    if name == "auto":
        return _DEVICES[0]
    for device in _DEVICES:
        if device.name == name:
            usable, reason = device.available()
            if not usable:
                raise RuntimeError(f"The device {name!r} is not available: {reason}.")
            return device
    names = ", ".join(repr(device.name) for device in _DEVICES)
    raise ValueError(f"Unknown device {name!r}: choose 'auto', {names}.")
