"""Resident memory of this process: what it is, what it was at most, and how to begin anew.

The kernel counts pages of main memory that the process has (Linux: ``VmRSS``, and ``VmHWM`` for their peak since
``clear_refs`` was last written to). Elsewhere there is the peak of the whole life of the process only.
"""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_FORGET_PEAK = "5"


def resident() -> int:
    """Bytes that the process has in main memory now."""
    return _kibibytes("VmRSS") * 1024 if _STATUS.exists() else peak()


def peak() -> int:
    """Bytes that it had at most since `forget_peak`."""
    if _STATUS.exists():
        return _kibibytes("VmHWM") * 1024
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def forget_peak() -> bool:
    """Lets the peak begin anew from what is resident now; False where the system cannot."""
    try:
        _CLEAR.write_text(_FORGET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def give_back() -> None:
    """Frees what nobody refers to, and has the C library return free pages to the system."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # not the GNU C library
        return


def _kibibytes(field: str) -> int:
    found = re.search(rf"^{field}:\s*(\d+) kB$", _STATUS.read_text(encoding="utf8"), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"Expected a line {field} in {_STATUS}.")
    return int(found[1])
