"""What the table of cases is made of: a case, how its inputs are drawn, and which error rounding explains."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field

import numpy as np

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Arrays, Case

F32, F64 = "float32", "float64"
NO = (0,)
LINEAR, RELU = int(Activation.LINEAR), int(Activation.RELU)
BARE = (LINEAR, 0.0, 0.0)  # no activation
SPECIAL = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-30, -1e30, 88.9, -88.9, 104.5, -103.9, 0.5, -0.625, 3e-5)


@dataclass(frozen=True)
class Example:
    """A case with values.

    Attributes:
        name: What is particular about it; unique.
        case: The case.
        values: How inputs are drawn: ``normal``, ``positive``, ``special`` (with NaN and infinities in the first one),
            ``far`` (the first one a thousand deviations from zero).
        length: Terms of a sum, for the tolerance.
    """

    name: str
    case: Case = field(repr=False)
    values: str = "normal"
    length: int = 1

    def inputs(self) -> Arrays:
        """Draws the inputs, always the same."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        arrays = []
        for position, (shape, dtype) in enumerate(zip(self.case.inputs, self.case.dtypes, strict=True)):
            kind = np.dtype(dtype).kind
            if kind == "b":
                array = rng.random(shape) < 0.5
            elif kind in "iu":
                array = rng.integers(1 if self.values == "positive" else 0, 9, shape).astype(dtype)
            else:
                array = rng.standard_normal(shape, dtype=np.float64)
                if self.values == "positive":
                    array = np.abs(array) + 0.1
                if self.values == "far" and position == 0:
                    array += 1000.0
                if self.values == "special" and position == 0:
                    flat = array.reshape(-1)
                    where = rng.permutation(flat.size)[: len(SPECIAL)]
                    flat[where] = SPECIAL[: len(where)]
                array = array.astype(dtype)
            arrays.append(array)
        return tuple(arrays)

    def out(self) -> np.ndarray:
        """Returns memory for the output, poisoned: a kernel that skips or reads it is found out."""
        out = np.empty(self.case.out, self.case.out_dtype)
        out[...] = np.nan if out.dtype.kind == "f" else 1
        return out

    def tolerance(self) -> tuple[float, float]:
        """Returns the relative and the absolute error that rounding explains.

        Terms are of size 1, partial sums of size ``sqrt(length)``: ``length`` roundings of them add up to about
        ``length * epsilon`` at worst.
        """
        if np.dtype(self.case.out_dtype).kind != "f":
            return 0.0, 0.0
        epsilon = float(np.finfo(self.case.out_dtype).eps)
        return 16 * epsilon, (4 + 2 * self.length) * epsilon


def plain(op, shapes, out, params=(), dtypes=F32, out_dtype=None, note="", **more) -> Example:
    """Any other operation."""
    dtypes = (dtypes,) * len(shapes) if isinstance(dtypes, str) else dtypes
    out_dtype = out_dtype or dtypes[0]
    shown = params if op not in ("dropout", "normal") else ""
    name = f"{op} {shapes}>{out} {shown} {dtypes}>{out_dtype} {more.get('values', '')} {note}"
    return Example(name, Case(op, shapes, dtypes, out, out_dtype, params), **more)
