"""The interpreter as the device of this process."""

from __future__ import annotations

import pytest

from nb3d.kernels import devices
from nb3d.kernels.cuda import ahead, diagnosis
from nb3d.kernels.cuda.diagnosis import Finding
from nb3d.kernels.cuda.runtime import Runtime
from tests.cuda.interpreted import Interpreted


def pretend(monkeypatch: pytest.MonkeyPatch) -> Interpreted:
    """Makes a driver that runs on the CPU the GPU of this process; ``"auto"`` stays the CPU."""
    driver = Interpreted()
    runtime = Runtime(driver)
    monkeypatch.setattr(diagnosis, "verdict", lambda: Finding("GPU", True, "the interpreter"))
    monkeypatch.setattr(devices, "gpu", lambda: runtime)
    monkeypatch.setattr(ahead, "assemble", lambda ptx, architecture: (driver.assemble(ptx), ""))
    monkeypatch.setattr(devices, "_best", lambda: devices.CPU)
    return driver
