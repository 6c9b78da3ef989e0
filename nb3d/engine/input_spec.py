"""`InputSpec`: what a layer demands of an input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nb3d.engine.structure import to_list


class InputSpec:
    """Rank, sizes and dtype that a layer expects of one input; ``None`` accepts anything.

    Args:
        dtype: Name of the dtype.
        shape: Sizes, batch included; ``None`` entries are free. Implies `ndim`.
        ndim: The exact number of axes.
        max_ndim: The largest number of axes.
        min_ndim: The smallest number of axes.
        axes: Axis -> size, for some axes only.

    Example:
        >>> import nb3d
        >>> nb3d.layers.InputSpec(ndim=5, axes={-1: 3})
        InputSpec(ndim=5, axes={-1: 3})
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = tuple(shape) if shape is not None else None
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = dict(axes or {})

    def __repr__(self) -> str:
        fields = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        given = [f"{name}={getattr(self, name)}" for name in fields if getattr(self, name)]
        return f"InputSpec({', '.join(given)})"


def check_inputs(layer_name: str, spec: Any, inputs: list[Any]) -> None:
    """Compares what a layer is called on with what it demands.

    Args:
        layer_name: Named in messages.
        spec: An `InputSpec`, a list of them (one per input), or ``None``.
        inputs: Tensors or arrays, flat.

    Raises:
        ValueError: If the number of inputs, or the rank, size or dtype of one, does not fit.
    """
    if spec is None:
        return
    specs = to_list(spec)
    if len(specs) != len(inputs):
        raise ValueError(
            f"Layer {layer_name!r} expects {len(specs)} inputs, but it received {len(inputs)} input tensors: "
            f"{[_describe(value) for value in inputs]}."
        )
    for position, (value, wanted) in enumerate(zip(inputs, specs, strict=True)):
        if wanted is not None:
            _check(f"Input {position} of layer {layer_name!r} is incompatible with the layer", wanted, value)


def _describe(value: Any) -> str:
    return f"{value.dtype}{list(value.shape)}"


def _check(prefix: str, spec: InputSpec, value: Any) -> None:
    shape = tuple(value.shape)
    ndim = len(shape)
    found = f"found ndim={ndim}. Full shape received: {shape}"
    if spec.ndim is not None and ndim != spec.ndim:
        raise ValueError(f"{prefix}: expected ndim={spec.ndim}, {found}")
    if spec.max_ndim is not None and ndim > spec.max_ndim:
        raise ValueError(f"{prefix}: expected max_ndim={spec.max_ndim}, {found}")
    if spec.min_ndim is not None and ndim < spec.min_ndim:
        raise ValueError(f"{prefix}: expected min_ndim={spec.min_ndim}, {found}")
    if spec.dtype is not None and str(value.dtype) != spec.dtype:
        raise ValueError(f"{prefix}: expected dtype={spec.dtype}, found dtype={value.dtype}")
    for axis, size in spec.axes.items():
        if not -ndim <= axis < ndim or (size is not None and shape[axis] not in (size, None)):
            raise ValueError(
                f"{prefix}: expected axis {axis} of input shape to have value {size} but received input with "
                f"shape {shape}"
            )
    for wanted, size in zip(spec.shape or (), shape, strict=False):
        if wanted is not None and size is not None and wanted != size:
            raise ValueError(f"{prefix}: expected shape={spec.shape}, found shape={shape}")
