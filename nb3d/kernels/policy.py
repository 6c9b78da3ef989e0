"""What kernels may do to be fast: which algorithms are allowed, and how large an error. Loads no Numba.

``"auto"`` takes the kernel that is estimated fastest among those that keep to the error; ``"strict"`` takes only those
that compute the definition, product by product (a Winograd convolution does not). The environment variables
``NB3D_ALGORITHM`` and ``NB3D_MAX_ERROR`` say what holds until a program chooses otherwise.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

ALGORITHMS = ("auto", "strict")
MAX_ERROR = 1e-5


@dataclass(frozen=True)
class Policy:
    """What is allowed.

    Attributes:
        algorithm: ``auto`` or ``strict``.
        max_error: Largest error of an output to expect on ordinary data (zero mean, unit variance), relative to the
            largest output.
    """

    algorithm: str = "auto"
    max_error: float = MAX_ERROR

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise ValueError(f"Expected an algorithm of {', '.join(ALGORITHMS)}, got {self.algorithm!r}.")
        if not self.max_error >= 0.0:
            raise ValueError(f"Expected a maximal error of at least 0, got {self.max_error!r}.")


_chosen: Policy | None = None


def current() -> Policy:
    """Returns the policy that holds now."""
    if _chosen is not None:
        return _chosen
    error = os.environ.get("NB3D_MAX_ERROR", "")
    return Policy(os.environ.get("NB3D_ALGORITHM") or "auto", float(error) if error else MAX_ERROR)


def choose(policy: Policy | None) -> None:
    """Sets the policy for what is chosen from now on; ``None`` goes back to the environment's."""
    global _chosen
    _chosen = policy
