"""Whether the kernels have been tried on this GPU: a file in their folder, which a change of any kernel leaves behind.

Kernels that an interpreter has proved have still not met the hardware; until they have, ``"auto"`` stays on the CPU.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from nb3d.kernels import folders
from nb3d.kernels.cuda import diagnosis
from nb3d.kernels.cuda.diagnosis import Finding
from nb3d.kernels.cuda.program import folder

TRIAL = "nb3d doctor --test"


def _path(identity: str) -> Path | None:
    place = folder()
    return None if place is None else place / f"trial-{hashlib.sha256(identity.encode()).hexdigest()[:20]}.passed"


def finding() -> Finding:
    """Returns whether they have, on this GPU with this driver."""
    identity = diagnosis.identity()
    path = _path(identity)
    if path is not None and folders.read(path) == identity.encode():
        return Finding("trial", True, f"nb3d's kernels have passed their trial on {identity}")
    return Finding(
        "trial", False, f"nb3d's kernels have not been tried on {identity} yet", f"`{TRIAL}`, or choose device='cuda'"
    )


def remember() -> bool:
    """Writes down that they have passed; returns whether it will be found again."""
    identity = diagnosis.identity()
    path = _path(identity)
    if path is not None:
        folders.write(path, identity.encode())
    return finding().good
