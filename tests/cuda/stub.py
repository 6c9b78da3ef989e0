"""The NVIDIA driver's functions, none of which does anything but write down that it was asked, and in which context."""

from __future__ import annotations

import ctypes
import importlib
import inspect
import itertools
import threading
from collections import defaultdict
from types import SimpleNamespace

import pytest

from nb3d.kernels import devices
from nb3d.kernels.cuda import diagnosis
from nb3d.kernels.cuda.diagnosis import Finding
from nb3d.kernels.cuda.driver import Nvidia
from nb3d.kernels.cuda.runtime import Runtime

OK, OUT_OF_MEMORY, LOST = (SimpleNamespace(name=name) for name in ("OK", "CUDA_ERROR_OUT_OF_MEMORY", "CUDA_ERROR_LOST"))
VALUES = {
    "cuDeviceGetAttribute": 9, "cuMemAlloc": 4096, "cuMemGetInfo": (1 << 30, 2 << 30), "cuModuleGetFunction": "kernel",
    "cuStreamEndCapture": "graph", "cuGraphInstantiate": "executable", "cuStreamCreate": 22, "cuDeviceGet": 0,
    "cuDevicePrimaryCtxRetain": "context", "cuModuleLoadData": "module", "cuEventCreate": "event",
    "cuEventElapsedTime": 2.0, "cuPointerGetAttribute": 0, "cuCtxPopCurrent": "context",
    "cuMemHostAlloc": 0,
}  # fmt: skip


def _bindings():
    """NVIDIA's, where they are installed: they load without a driver."""
    try:
        return importlib.import_module("cuda.bindings.driver")
    except ImportError:
        return None


REAL = _bindings()
ANYWHERE = {"cuInit", "cuDeviceGet", "cuDeviceGetAttribute", "cuDevicePrimaryCtxRetain"}  # need no context


class Api:
    """The functions that are asked for, each with the values above.

    Attributes:
        calls: What was asked for, contexts aside.
        contexts: Of every thread, the last one current.
        entered: How often the context was made current.
        astray: What was asked for without the GPU's context.
        fails: Which functions report what.
        values: What functions return.
        parameters: Of the last launch, the first two.
    """

    CUresult = SimpleNamespace(CUDA_SUCCESS=OK, CUDA_ERROR_OUT_OF_MEMORY=OUT_OF_MEMORY)

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.contexts: defaultdict[int, list[str]] = defaultdict(list)
        self.entered = 0
        self.astray: list[str] = []
        self.fails: dict[str, SimpleNamespace] = {}
        self.values = dict(VALUES)
        self.parameters: list[int] = []
        self._streams = itertools.count(VALUES["cuStreamCreate"])

    def __getattr__(self, name):
        if name == "CUstream":
            return int
        if not name.startswith("cu"):
            return _Constants()

        def call(*arguments):
            if REAL is not None:  # there is such a function, and it takes so many
                inspect.signature(getattr(REAL, name)).bind(*arguments)
            current = self.contexts[threading.get_ident()]
            if name == "cuCtxPushCurrent":
                self.entered += 1
                current.extend([*arguments] if name not in self.fails else [])
            elif name == "cuCtxPopCurrent":
                current.pop()
            else:
                self.calls.append((name, *arguments))
                if name not in ANYWHERE and current[-1:] != [VALUES["cuDevicePrimaryCtxRetain"]]:
                    self.astray.append(name)
            if name == "cuLaunchKernel":
                pointers = ctypes.cast(arguments[9], ctypes.POINTER(ctypes.c_void_p))
                self.parameters = [ctypes.c_uint64.from_address(pointers[0]).value,
                                   ctypes.c_float.from_address(pointers[1]).value]  # fmt: skip
            value = next(self._streams) if name == "cuStreamCreate" else self.values.get(name, ())
            value = value(*arguments) if callable(value) else value
            return (self.fails.get(name, OK), *(value if isinstance(value, tuple) else (value,)))

        return call

    def names(self) -> list[str]:
        return [call[0] for call in self.calls]


class _Constants:
    """An enumeration of the driver's."""

    def __getattr__(self, name):
        return SimpleNamespace(name=name, value=1)


def pretend(monkeypatch: pytest.MonkeyPatch, api: Api) -> Runtime:
    """Makes a GPU that computes nothing that of this process; its memory has addresses, and zeros in it."""
    addresses, pinned = itertools.count(1 << 20, 1 << 20), []

    def host(size: int, flags: int) -> int:
        pinned.append(ctypes.create_string_buffer(size))
        return ctypes.addressof(pinned[-1])

    def zeros(out: int, address: int, size: int, stream: int) -> tuple:
        ctypes.memset(out, 0, size)
        return ()

    api.values |= {"cuMemAlloc": lambda size: next(addresses), "cuMemHostAlloc": host, "cuMemcpyDtoHAsync": zeros}
    runtime = Runtime(Nvidia(api))
    monkeypatch.setattr(diagnosis, "verdict", lambda: Finding("GPU", True, "the stub"))
    monkeypatch.setattr(devices, "gpu", lambda: runtime)
    monkeypatch.setattr(devices, "_best", lambda: devices.CPU)
    return runtime
