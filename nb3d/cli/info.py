"""``nb3d info``: versions, processor, threads, devices, cache: what a report of a problem should hold."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nb3d.cli.options import Commands
from nb3d.kernels.devices import devices
from nb3d.version import __version__

_PACKAGES = ("numpy", "numba", "llvmlite", "h5py", "numba-cuda")


def add(commands: Commands) -> None:
    """Enters the command."""
    parser = commands.add_parser("info", help="versions, processor, threads, devices, cache")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Carries it out."""
    rows = [("nb3d", __version__), ("python", f"{platform.python_version()} on {platform.platform()}")]
    rows += [(package, _version(package)) for package in _PACKAGES]
    rows += _processor()
    for device in devices():
        usable, reason = device.available()
        rows.append((f"device {device.name}", reason if usable else f"not available: {reason}"))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> list[tuple[str, str]]:
    """The processor as the kernels see it."""
    from nb3d.kernels.cpu import cache, host, threads

    vectors = host.vectors()
    count = threads.get_num_threads()  # starts them, and so settles which layer runs them
    return [
        ("processor", _processor_name()),
        ("vectors", f"{vectors.count} of {vectors.size} bytes{', fused multiply-add' if host.fuses() else ''}"),
        ("threads", f"{count} of {os.cpu_count() or 1}, threading layer {threads.layer() or 'not chosen yet'}"),
        ("kernel cache", str(cache.folder() or "none")),
    ]


def _processor_name() -> str:
    """What the machine calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
