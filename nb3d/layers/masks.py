"""Masks: booleans that say which steps or voxels of a tensor count; they lack the tensor's last axis."""

from __future__ import annotations

import math
from typing import Any

from nb3d import ops


def nowhere(x: Any) -> Any:
    """False in the shape of `x`."""
    return ops.less(x, -math.inf)


def spread(mask: Any, x: Any) -> Any:
    """`mask` in the shape of `x`."""
    return ops.logical_or(ops.expand_dims(mask, -1), nowhere(x))
