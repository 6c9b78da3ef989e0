"""Masks: booleans that say which steps or voxels of a tensor count; they lack the tensor's last axis."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.ops.filling import nowhere


def spread(mask: Any, x: Any) -> Any:
    """`mask` in the shape of `x`."""
    return ops.logical_or(ops.expand_dims(mask, -1), nowhere(x))
