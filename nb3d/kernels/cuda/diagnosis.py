"""Why CUDA can or cannot be used, step by step, each failure with its remedy. Only ``try_compiler`` loads Numba."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from nb3d.kernels.cuda import assembler

MAJOR, MINOR = 75, 76  # attributes of a device: its compute capability
INSTALL = 'pip install "nb3d[cuda]"'


@dataclass(frozen=True)
class Finding:
    """One step of the diagnosis.

    Attributes:
        subject: What was looked at.
        good: Whether it is as it must be.
        detail: What was found, as a phrase.
        remedy: What to do where it is not good.
    """

    subject: str
    good: bool
    detail: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.detail}: {self.remedy}" if self.remedy else self.detail


def probe() -> Iterator[Finding]:
    """Yields what can be told in milliseconds, up to the first failure."""
    settings = _settings()
    if settings is not None:
        yield settings
        return
    driver = _driver()
    if driver is None:
        yield Finding("driver", False, "the NVIDIA driver (libcuda) is not installed", "install it, if there is a GPU")
        return
    status, count = driver.cuInit(0), ctypes.c_int(0)
    status = status or driver.cuDeviceGetCount(ctypes.byref(count))
    if status != 0:
        yield Finding("driver", False, f"the NVIDIA driver reports error {status}", "see what nvidia-smi says")
        return
    if count.value == 0:
        yield Finding("GPU", False, "the NVIDIA driver finds no GPU", "see what nvidia-smi says")
        return
    yield Finding("GPU", True, f"{count.value} GPU{'s' if count.value > 1 else ''}")
    packages = _packages()
    yield packages
    if packages.good:
        yield from _hardware(driver)


def _settings() -> Finding | None:
    """What the environment forbids."""
    if os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0"):
        return Finding("simulator", False, "NUMBA_ENABLE_CUDASIM is set, and the simulator is no device", "unset it")
    if os.environ.get("NUMBA_DISABLE_CUDA", "0") not in ("", "0"):
        return Finding("numba", False, "NUMBA_DISABLE_CUDA is set", "unset it")
    return None


def _packages() -> Finding:
    if importlib.util.find_spec("numba_cuda") is None:
        return Finding("packages", False, "the package numba-cuda is not installed", INSTALL)
    return Finding("packages", True, f"numba-cuda {_version('numba-cuda') or '(unknown version)'}")


def compilers() -> Finding:
    """Returns whether the compilers can be loaded, on a machine with a GPU or without."""
    for found in (_settings(), _packages()):
        if found is not None and not found.good:
            return found
    try:
        return Finding("compilers", True, ", ".join(" ".join(pair) for pair in assembler.versions().items()))
    except Exception as error:  # every package has exceptions of its own for a library that is missing
        return Finding("compilers", False, f"the CUDA compilers cannot be loaded ({_words(error)})", INSTALL)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _hardware(driver: Any) -> Iterator[Finding]:
    """The first GPU's compute capability, the driver's age."""
    numbers = [ctypes.c_int(0), ctypes.c_int(0)]
    for which, number in zip((MAJOR, MINOR), numbers, strict=True):
        driver.cuDeviceGetAttribute(ctypes.byref(number), which, 0)
    capability, least = (numbers[0].value, numbers[1].value), ".".join(map(str, assembler.OLDEST))
    found = f"the GPU has compute capability {capability[0]}.{capability[1]}"
    if capability < assembler.OLDEST:
        yield Finding("capability", False, f"{found}, nb3d needs {least}", "use device='cpu'")
        return
    yield Finding("capability", True, f"{found} ({_name(driver)})")
    supported = ctypes.c_int(0)
    driver.cuDriverGetVersion(ctypes.byref(supported))
    toolkit = _toolkit()
    if toolkit is not None and supported.value // 1000 < int(toolkit.split(".")[0]):
        yield Finding(
            "driver", False,
            f"the NVIDIA driver supports CUDA {supported.value // 1000}.{supported.value % 1000 // 10}, older than the "
            f"installed compilers, {toolkit}",
            'update the driver, or pip install "numba-cuda[cu12]"',
        )  # fmt: skip
        return
    yield Finding("driver", True, f"supports CUDA {supported.value // 1000}.{supported.value % 1000 // 10}")


def try_compiler() -> Finding:
    """Compiles and assembles the smallest kernel: half a second, unless it is on disk."""
    try:
        from nb3d.kernels.cuda.strides import map_program

        item = map_program("copy", ("float32",), "float32", 1)
        item.machine_code("sm_80", lambda ptx: assembler.assemble(ptx, "sm_80")[0])
    except Exception as error:
        return Finding("compiler", False, f"a test kernel does not compile ({_words(error)})", INSTALL)
    return Finding("compiler", True, "a test kernel compiles")


@cache
def verdict() -> Finding:
    """Returns the first failure that can be told in milliseconds, or what was found."""
    findings = list(probe())
    failures = [finding for finding in findings if not finding.good]
    return failures[0] if failures else Finding("GPU", True, ", ".join(finding.detail for finding in findings))


@cache
def usable() -> Finding:
    """Returns ``verdict``, and where that is good whether kernels compile."""
    first = verdict()
    compiled = try_compiler() if first.good else first
    return first if compiled.good else compiled


def gpu_present() -> bool:
    """Whether the driver finds a GPU: then somebody may expect it to be used."""
    return any(finding.subject == "GPU" and finding.good for finding in probe())


def _version(package: str) -> str | None:
    from importlib import metadata  # as slow as all of NumPy

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _toolkit() -> str | None:
    """The version of the assembler: that of its package, or where it is none of pip's, its own word."""
    found = _version("nvidia-nvjitlink")
    if found is None:
        with suppress(Exception):  # who needs it will say that it is missing
            found = assembler.versions()["nvJitLink"]
    return found


def _name(driver: Any) -> str:
    """What the first GPU is called."""
    name = ctypes.create_string_buffer(100)
    driver.cuDeviceGetName(name, 100, 0)
    return name.value.decode(errors="replace")


def identity() -> str:
    """Returns what tells the first GPU and its driver from others, of a driver that works."""
    driver, version = _driver(), ctypes.c_int(0)
    driver.cuInit(0)
    driver.cuDriverGetVersion(ctypes.byref(version))
    return f"{_name(driver)}, CUDA {version.value}"


def _driver() -> Any:
    """Returns the driver's library, ``None`` where there is none."""
    for name in ("libcuda.so.1", "libcuda.so", "nvcuda.dll"):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None
