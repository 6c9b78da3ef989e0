"""Elementwise activations as numbers: a kernel's write-out applies one without knowing layers or strings.

Every activation takes two floats, ``alpha`` and ``beta``; the comment states what they mean (``-`` where unused).
"""

from __future__ import annotations

import math
from enum import IntEnum


class Activation(IntEnum):
    """Code of an elementwise activation; the lower-case name is the name of the operation."""

    LINEAR = 0          # -, -          x
    RELU = 1            # slope, top    min(x, top) where x > 0, slope * x elsewhere (top = inf: none)
    ELU = 2             # alpha, -      x where x > 0, alpha * expm1(x) elsewhere
    SELU = 3            # -, -
    CELU = 4            # alpha, -      alpha * expm1(x / alpha) below zero
    SIGMOID = 5         # -, -
    TANH = 6            # -, -
    SOFTPLUS = 7        # -, -
    SOFTSIGN = 8        # -, -
    EXPONENTIAL = 9     # -, -
    HARD_SIGMOID = 10   # slope, shift  clip(slope * x + shift, 0, 1): (1/6, 1/2) in Keras 3, (0.2, 0.5) in Keras 2
    SILU = 11           # -, -
    HARD_SILU = 12      # -, -          x * clip(x / 6 + 1/2, 0, 1)
    GELU = 13           # tanh?, -      exact (erf) where alpha == 0, tanh approximation elsewhere
    MISH = 14           # -, -
    LOG_SIGMOID = 15    # -, -
    HARD_TANH = 16      # -, -          clip(x, -1, 1)
    HARD_SHRINK = 17    # lambda, -     x where |x| > lambda, 0 elsewhere
    SOFT_SHRINK = 18    # lambda, -     sign(x) * max(|x| - lambda, 0)
    TANH_SHRINK = 19    # -, -          x - tanh(x)
    THRESHOLD = 20      # theta, value  x where x > theta, value elsewhere
    SQUAREPLUS = 21     # b, -          (x + sqrt(x**2 + b)) / 2
    SPARSE_PLUS = 22    # -, -          0 below -1, (x + 1)**2 / 4 up to 1, x above
    SPARSE_SIGMOID = 23  # -, -         clip((x + 1) / 2, 0, 1)


def is_plain_relu(activation: int, alpha: float, beta: float) -> bool:
    """Returns whether an activation is ``max(x, 0)``, which kernels compute without a call."""
    return (activation, alpha, beta) == (Activation.RELU, 0.0, math.inf)
