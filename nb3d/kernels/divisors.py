"""What a normalization divides by, as a number. Loads no Numba."""

from __future__ import annotations

from enum import IntEnum


class Divisor(IntEnum):
    """Code of a divisor; where values are not centered, the variance is the mean of their squares."""

    ROOT = 0       # sqrt(variance + epsilon): layer, group, RMS normalization
    DEVIATION = 1  # sqrt(variance) + epsilon: instance normalization of keras_contrib
    NORM = 2       # max(sqrt(sum of squares), epsilon): unit normalization
