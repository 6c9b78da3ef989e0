"""Devices: which there are, whether they can be used, and what ``"auto"`` means. Loads no Numba.

A device has a name and says whether it is available, and why not. A device of another kind would be one more object in
``_DEVICES`` and its rows in the table.

``"auto"`` is the GPU where ``nb3d doctor --test`` has passed on it with these kernels and a test compilation succeeds,
else the CPU; with a warning, once, if there is a GPU that is not used.
"""

from __future__ import annotations

import os
import threading
import warnings
from functools import cache
from typing import TYPE_CHECKING, Protocol

from nb3d.kernels.cuda import diagnosis

if TYPE_CHECKING:
    from nb3d.kernels.cuda.runtime import Runtime


class Device(Protocol):
    """Where kernels run."""

    @property
    def name(self) -> str:
        """The device column of the table: ``cpu``, ``cuda``."""

    def available(self) -> tuple[bool, str]:
        """Returns whether it can be used, and the reason why not (or what it is)."""


class Cpu:
    """The host."""

    name = "cpu"

    def available(self) -> tuple[bool, str]:
        """Always."""
        return True, f"{os.cpu_count() or 1} logical processors"


class Cuda:
    """The first NVIDIA GPU."""

    name = "cuda"

    def available(self) -> tuple[bool, str]:
        """Asks the driver, in milliseconds; the simulator does not count."""
        found = diagnosis.verdict()
        return found.good, str(found)


def gpu() -> Runtime:
    """Returns the run time of the first GPU: one for all threads.

    Raises:
        RuntimeError: If the driver cannot be used.
    """
    with _starting:
        return _gpu()


@cache
def _gpu() -> Runtime:
    from nb3d.kernels.cuda.driver import Nvidia
    from nb3d.kernels.cuda.runtime import Runtime

    return Runtime(Nvidia())


CPU, CUDA = Cpu(), Cuda()
_starting = threading.Lock()
_DEVICES: tuple[Device, ...] = (CPU, CUDA)


def devices() -> tuple[Device, ...]:
    """Returns every device that nb3d knows, available or not; the CPU is the first."""
    return _DEVICES


def named(name: str = "auto") -> Device:
    """Returns the device that a name means, whether it can be used here or not: enough for a plan.

    Args:
        name: ``"auto"``, or the name of a device.

    Raises:
        ValueError: There is no device of that name.
    """
    if name == "auto":
        return _best()
    for device in _DEVICES:
        if device.name == name:
            return device
    names = ", ".join(repr(device.name) for device in _DEVICES)
    raise ValueError(f"Unknown device {name!r}: choose 'auto', {names}.")


def resolve(name: str = "auto") -> Device:
    """Returns the device that a name means, to run something there.

    Args:
        name: ``"auto"``, or the name of a device.

    Raises:
        RuntimeError: The device was asked for by name and is not available.
        ValueError: There is no device of that name.
    """
    device = named(name)
    if name != "auto":
        usable, reason = device.available()
        if not usable:
            raise RuntimeError(f"The device {name!r} is not available: {reason}.")
    return device


@cache
def _best() -> Device:
    """What ``"auto"`` means in this process."""
    found = diagnosis.verdict()
    if found.good:
        from nb3d.kernels.cuda import trial_record

        found = trial_record.finding()
    if found.good:
        found = diagnosis.usable()
    if found.good:
        return CUDA
    if diagnosis.gpu_present():
        warnings.warn(f"nb3d runs on the CPU: {found}. `nb3d doctor` tells more.", RuntimeWarning, stacklevel=2)
    return CPU
