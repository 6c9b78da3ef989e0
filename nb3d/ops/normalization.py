"""Normalization: with statistics that are given, and with those of the values themselves.

Layer, group, instance, RMS and unit normalization are one operation: mean and variance over the last axes, of every
group of neighbouring channels by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.settings import SETTINGS
from nb3d.engine.tensor import Dims, TensorSpec
from nb3d.kernels.divisors import Divisor
from nb3d.ops.apply import apply
from nb3d.ops.convolution import NO_EPILOGUE
from nb3d.ops.elementwise import add, multiply
from nb3d.ops.operation import operation
from nb3d.ops.shapes import normalize_axes, normalize_axis
from nb3d.ops.shaping import reshape, transpose


def _check_channels(op: str, channels: int | None, **operands: TensorSpec | None) -> None:
    for name, spec in operands.items():
        if spec is not None and channels is not None and spec.shape != (channels,):
            raise ValueError(f"{op}: expected {name} of shape ({channels},), got {spec.shape}")


def _batch_normalization_spec(
    x: TensorSpec, mean: TensorSpec, variance: TensorSpec, offset: Any, scale: Any, epsilon: float, axis: int,
    epilogue: Any = None,
) -> TensorSpec:  # fmt: skip
    channels = x.shape[normalize_axis(axis, len(x.shape))]
    _check_channels("batch_normalization", channels, mean=mean, variance=variance, offset=offset, scale=scale)
    return x


def _batch_normalization_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    return attrs["epsilon"], normalize_axis(attrs["axis"], len(out.shape)), *attrs.get("epilogue", NO_EPILOGUE)


BATCH_NORMALIZATION = Op("batch_normalization", _batch_normalization_spec, _batch_normalization_params)


@operation("BatchNorm")
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int = -1, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``, with one value of each per index along `axis`."""
    return apply(BATCH_NORMALIZATION, x, mean, variance, offset, scale, epsilon=float(epsilon), axis=int(axis))


def _normalization_spec(
    x: TensorSpec, offset: Any, scale: Any, first: int, groups: int, epsilon: float, centered: bool, divisor: Divisor,
    epilogue: Any = None,
) -> TensorSpec:  # fmt: skip
    channels = x.shape[-1]
    _check_channels("normalization", channels, offset=offset, scale=scale)
    if channels is not None and channels % groups:
        raise ValueError(f"normalization: {channels} channels cannot be divided into {groups} groups of one size")
    return x


def _normalization_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    numbers = attrs["first"], attrs["groups"], attrs["epsilon"], int(attrs["centered"]), int(attrs["divisor"])
    return *numbers, *attrs.get("epilogue", NO_EPILOGUE)


NORMALIZATION = Op("normalization", _normalization_spec, _normalization_params)


def _in_order(function: Callable[[Any], Any], x: Any, order: tuple[int, ...]) -> Any:
    """`function` of `x` with its axes in another order; the result has the order of `x`."""
    if order == tuple(range(len(order))):
        return function(x)
    return transpose(function(transpose(x, order)), tuple(order.index(axis) for axis in range(len(order))))


def _fits(shape: Dims, wanted: Dims) -> bool:
    return len(shape) == len(wanted) and all(w in (None, s) for s, w in zip(shape, wanted, strict=True))


def _over_axes(x: Any, axis: Any, scale: Any, offset: Any, epsilon: float, centered: bool, divisor: Divisor) -> Any:
    """The normalization over some axes, whose shape `scale` and `offset` have."""
    rank = len(x.shape)
    axes = normalize_axes(axis, rank)
    if not axes:
        raise ValueError("normalization: expected at least one axis, got none")
    attrs = {"groups": 1, "epsilon": float(epsilon), "centered": centered, "divisor": divisor}
    if axes == (rank - 1,):
        return apply(NORMALIZATION, x, offset, scale, first=rank - 1, **attrs)
    for name, weights in (("scale", scale), ("offset", offset)):
        wanted = tuple(x.shape[axis] for axis in axes)
        if weights is not None and not _fits(tuple(weights.shape), wanted):
            raise ValueError(f"normalization: expected {name} of shape {wanted}, got {tuple(weights.shape)}")
    order = (*(axis for axis in range(rank) if axis not in axes), *axes)
    first = rank - len(axes)
    x = _in_order(lambda moved: apply(NORMALIZATION, moved, None, None, first=first, **attrs), x, order)
    for weights, combine in ((scale, multiply), (offset, add)):
        if weights is not None:
            sizes = dict(zip(axes, weights.shape, strict=True))
            x = combine(x, reshape(weights, [sizes.get(axis, 1) for axis in range(rank)]))
    return x


@operation("LayerNorm")
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta``, with the statistics over `axis` (Ba et al., 2016).

    Args:
        x: Tensor.
        gamma: Scale, of the sizes of the axes; absent: 1.
        beta: Offset, of the sizes of the axes; absent: 0.
        axis: An axis, or several.
        epsilon: Added to the variance; absent: `nb3d.config.epsilon`.

    Raises:
        ValueError: If an axis is out of range, or the shape of a weight does not fit.

    Example:
        >>> import numpy as np
        >>> from nb3d import ops
        >>> ops.layer_normalization(np.array([[1.0, 2.0, 3.0]])).round(3)
        array([[-1.225,  0.   ,  1.225]])

    Source: https://keras.io/api/ops/nn/#layer_normalization-function
    """
    return _over_axes(x, axis, gamma, beta, SETTINGS.epsilon() if epsilon is None else epsilon, True, Divisor.ROOT)


@operation("RMSNorm")
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """``x / sqrt(mean(x ** 2) + epsilon) * scale``, with the mean over `axis` (Zhang and Sennrich, 2019).

    Args:
        x: Tensor.
        scale: Of the sizes of the axes; absent: 1.
        axis: An axis, or several.
        epsilon: Added to the mean; absent: `nb3d.config.epsilon`.

    Raises:
        ValueError: If an axis is out of range, or the shape of `scale` does not fit.

    Source: https://keras.io/api/ops/nn/#rms_normalization-function
    """
    return _over_axes(x, axis, scale, None, SETTINGS.epsilon() if epsilon is None else epsilon, False, Divisor.ROOT)


def unit_normalization(x: Any, axis: Any, epsilon: float) -> Any:
    """`x` divided by its Euclidean norm over `axis`, or by `epsilon` where that is larger."""
    return _over_axes(x, axis, None, None, epsilon, False, Divisor.NORM)


@operation("GroupNorm")
def group_normalization(
    x: Any,
    groups: int,
    axis: int = -1,
    scale: Any = None,
    offset: Any = None,
    epsilon: float = 1e-3,
    epsilon_to_deviation: bool = False,
) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``, per sample and group of channels (Wu and He, 2018).

    Args:
        x: Tensor of a batch; the first axis is that of the samples.
        groups: Groups of neighbouring channels; as many as there are channels for instance normalization.
        axis: The axis of the channels.
        scale: One value per channel; absent: 1.
        offset: One value per channel; absent: 0.
        epsilon: Added to the variance.
        epsilon_to_deviation: Whether it is added to the standard deviation instead, outside the root.

    Raises:
        ValueError: If the axis is that of the samples or out of range, the channels cannot be divided so, or the shape
            of a weight does not fit.

    Example:
        >>> import numpy as np
        >>> from nb3d import ops
        >>> ops.group_normalization(np.array([[1.0, 3.0, 10.0, 30.0]]), groups=2).round(2)
        array([[-1.,  1., -1.,  1.]])
    """
    rank = len(x.shape)
    channels = normalize_axis(axis, rank)
    if channels == 0:
        raise ValueError(f"group_normalization: axis {axis} is that of the samples, expected that of the channels")
    attrs = {
        "first": 1,
        "groups": int(groups),
        "epsilon": float(epsilon),
        "centered": True,
        "divisor": Divisor.DEVIATION if epsilon_to_deviation else Divisor.ROOT,
    }
    order = (*(i for i in range(rank) if i != channels), channels)
    return _in_order(lambda moved: apply(NORMALIZATION, moved, offset, scale, **attrs), x, order)
