"""Normalization with given statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.operation import operation
from nb3d.ops.shapes import normalize_axis


def _batch_normalization_spec(
    x: TensorSpec, mean: TensorSpec, variance: TensorSpec, offset: Any, scale: Any, epsilon: float, axis: int
) -> TensorSpec:
    channels = x.shape[normalize_axis(axis, len(x.shape))]
    for name, spec in {"mean": mean, "variance": variance, "offset": offset, "scale": scale}.items():
        if spec is not None and channels is not None and spec.shape != (channels,):
            raise ValueError(f"batch_normalization: expected {name} of shape ({channels},), got {spec.shape}")
    return x


def _params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return attrs["epsilon"], normalize_axis(attrs["axis"], len(out.shape))


BATCH_NORMALIZATION = Op("batch_normalization", _batch_normalization_spec, _params)


@operation("BatchNorm")
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int = -1, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``, with one value of each per index along `axis`."""
    return apply(BATCH_NORMALIZATION, x, mean, variance, offset, scale, epsilon=float(epsilon), axis=int(axis))
