"""What the figures were measured on: the processor, the versions, the day; never a host name or a path."""

from __future__ import annotations

import datetime
import os
import platform
import re
import textwrap
from pathlib import Path

VECTORS = ("avx512f", "avx2", "avx", "neon", "asimd")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor's name, and the widest vectors that it has."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf8")
    except OSError:
        return platform.processor() or platform.machine()
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    family = re.search(r"^cpu family\s*:\s*(\d+)$", text, re.MULTILINE)
    model = re.search(r"^model\s*:\s*(\d+)$", text, re.MULTILINE)
    flags = set(re.findall(r"[a-z0-9_]+", "".join(re.findall(r"^(?:flags|Features)\s*:(.+)$", text, re.MULTILINE)[:1])))
    vectors = next((flag for flag in VECTORS if flag in flags), platform.machine())
    which = f" (family {family[1]}, model {model[1]})" if family and model else ""
    return f"{name[1] if name else platform.machine()}{which}, {vectors}"


def describe(versions: dict[str, str], threads: int) -> str:
    """A paragraph of everything that a reader needs to judge the figures."""
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    software = f"{platform.system()}, Python {platform.python_version()}, {listed}"
    text = f"Machine: {processor()}; {threads} threads on {cores()} cores. {software}. Measured on {day}."
    return textwrap.fill(text, 118, break_on_hyphens=False)
