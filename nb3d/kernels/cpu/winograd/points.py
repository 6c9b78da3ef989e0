"""The matrices of Winograd's minimal filtering, after Cook and Toom, from interpolation points.

``size`` outputs of a correlation with ``taps`` taps along one axis,

    y[i] = sum over j of  g[j] * d[i + j],      i < size,  j < taps,

are ``y = A ((G g) * (B d))`` with ``n = size + taps - 1`` multiplications: ``A`` evaluates polynomials at ``n - 1``
finite points and at infinity, ``G`` evaluates the filter there, ``B`` interpolates. Along several axes transforms nest.

The error of float32 depends on the points alone (scaling rows by powers of two changes no bit). Points are symmetric,
zero apart, so that transforms split into even and odd halves (``chains.py``), with few bits, so that all entries of
``A`` and ``B`` are exact. Largest error in units of the largest output, three axes, 32 channels of normal data:

    F(4,3):  0 1 -1 2 -2            2.2e-5      (the usual ones)
             0 1 -1 1/2 -2          4.6e-6
             0 3/4 -3/4 3/2 -3/2    2.6e-6      (chosen: even and odd halves, and as good as the next two)
             0 and +-sqrt(1/2 2)    2.4e-6
             0 and +-2/3, +-3/2     2.3e-6
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

# By the number of finite points; signs come in pairs (p, -p), one after the other.
_POINTS: dict[int, tuple[float, ...]] = {
    0: (),
    1: (0.0,),
    2: (0.0, 1.0),
    3: (0.0, 1.0, -1.0),
    4: (0.0, 0.75, -0.75, -2.0),
    5: (0.0, 0.75, -0.75, 1.5, -1.5),
    6: (0.0, 0.625, -0.625, 1.125, -1.125, 3.0),
    7: (0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0),
    8: (0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 0.75),
    9: (0.0, 0.5, -0.5, 0.75, -0.75, 1.25, -1.25, 2.0, -2.0),
}
MOST = max(_POINTS) + 1  # values of an axis that transforms exist for


@dataclass(frozen=True, eq=False)
class Axis:
    """The transforms of one axis.

    Attributes:
        size: Outputs of a tile.
        taps: Taps of the kernel.
        outputs: ``A``, of shape ``(size, n)``.
        filters: ``G``, of shape ``(n, taps)``.
        inputs: ``B``, of shape ``(n, n)``.
        pairs: Rows of ``B`` and columns of ``A`` that belong to a point and its negative.
    """

    size: int
    taps: int
    outputs: np.ndarray
    filters: np.ndarray
    inputs: np.ndarray
    pairs: tuple[tuple[int, int], ...]

    @property
    def n(self) -> int:
        """Values of a tile, before and after the transform."""
        return self.size + self.taps - 1


@cache
def axis(size: int, taps: int) -> Axis:
    """Returns the transforms for tiles of ``size`` outputs and ``taps`` taps; one tap is not transformed."""
    if taps == 1:
        one = np.ones((1, 1))
        return Axis(1, 1, one, one, one, ())
    n = size + taps - 1
    points = np.array(_POINTS[n - 1])
    outputs, filters, inputs = np.zeros((size, n)), np.zeros((n, taps)), np.zeros((n, n))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        outputs[:, i] = point ** np.arange(size)
        filters[i] = point ** np.arange(taps) / np.prod(point - others)
        inputs[i, : n - 1] = np.poly(others)[::-1]
    outputs[size - 1, n - 1] = filters[n - 1, taps - 1] = 1.0
    inputs[n - 1] = np.poly(points)[::-1]
    pairs = tuple((i, i + 1) for i in range(1, n - 2) if points[i] == -points[i + 1])
    return Axis(size, taps, outputs, filters, inputs, pairs)
