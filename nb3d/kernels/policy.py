"""What kernels may do to be fast: which algorithms are allowed, and how large an error. Loads no Numba.

``"auto"`` takes the kernel that is estimated fastest among those that keep to the error; ``"strict"`` takes only those
that compute the definition, product by product (a Winograd convolution does not). The precision is that of the products
of convolutions where hardware offers a choice, which are GPUs with tensor cores: ``"float32"``; ``"fast_float32"``, as
accurate but not product by product; ``"tf32"`` and ``"bfloat16"``, which round what they multiply.

The environment variables ``NB3D_ALGORITHM``, ``NB3D_MAX_ERROR`` and ``NB3D_PRECISION`` say what holds until a program
chooses otherwise.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

ALGORITHMS = ("auto", "strict")
MAX_ERROR = 1e-5
PRECISIONS = ("float32", "fast_float32", "tf32", "bfloat16")


@dataclass(frozen=True)
class Policy:
    """What is allowed.

    Attributes:
        algorithm: ``auto`` or ``strict``.
        max_error: Largest error of an output to expect on ordinary data (zero mean, unit variance), relative to the
            largest output.
        precision: One of ``PRECISIONS``.
    """

    algorithm: str = "auto"
    max_error: float = MAX_ERROR
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise ValueError(f"Expected an algorithm of {', '.join(ALGORITHMS)}, got {self.algorithm!r}.")
        if not self.max_error >= 0.0:
            raise ValueError(f"Expected a maximal error of at least 0, got {self.max_error!r}.")
        if self.precision not in PRECISIONS:
            raise ValueError(f"Expected a precision of {', '.join(PRECISIONS)}, got {self.precision!r}.")


_chosen: Policy | None = None


def current() -> Policy:
    """Returns the policy that holds now."""
    if _chosen is not None:
        return _chosen
    error = os.environ.get("NB3D_MAX_ERROR", "")
    return Policy(
        os.environ.get("NB3D_ALGORITHM") or "auto",
        float(error) if error else MAX_ERROR,
        os.environ.get("NB3D_PRECISION") or "float32",
    )


def choose(policy: Policy | None) -> None:
    """Sets the policy for what is chosen from now on; ``None`` goes back to the environment's."""
    global _chosen
    _chosen = policy
