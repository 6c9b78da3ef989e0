"""What arguments of layers may be; each error names the argument."""

from __future__ import annotations

import math
import operator
from typing import Any

from nb3d import initializers
from nb3d.engine.settings import DATA_FORMATS, SETTINGS
from nb3d.engine.tensor import Dims
from nb3d.ops.shapes import normalize_axes

_LARGEST = 2**63 - 1  # kernels count in 64 bits


def check_data_format(data_format: str | None) -> str:
    """`data_format` in lower case; the default one of ``keras.json`` for ``None``.

    Raises:
        ValueError: If it is neither ``'channels_first'`` nor ``'channels_last'``.
    """
    value = SETTINGS.image_data_format() if data_format is None else data_format
    if not isinstance(value, str) or value.lower() not in DATA_FORMATS:
        raise ValueError(f"The `data_format` argument must be one of {DATA_FORMATS}. Received: {data_format!r}")
    return value.lower()


def check_integer(value: Any, name: str, minimum: int = 1) -> int:
    """An integer of at least `minimum`, which fits into 64 bits.

    Raises:
        ValueError: If it is something else, a float such as 3.5 or NaN among it.
    """
    try:
        number = int(value) if isinstance(value, float) and value.is_integer() else operator.index(value)
    except TypeError:
        raise ValueError(f"The `{name}` argument must be an integer. Received: {value!r}") from None
    if isinstance(value, bool) or not minimum <= number <= _LARGEST:
        raise ValueError(f"The `{name}` argument must be an integer >= {minimum}. Received: {value!r}")
    return number


def check_number(value: Any, name: str, minimum: float = -math.inf, maximum: float = math.inf) -> float:
    """A number within limits.

    Raises:
        ValueError: If it is something else, NaN among it.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"The `{name}` argument must be a number. Received: {value!r}") from None
    if not minimum <= number <= maximum:
        limits = f" between {minimum} and {maximum}" if maximum < math.inf else f" >= {minimum}"
        raise ValueError(f"The `{name}` argument must be a number{limits * (minimum > -math.inf)}. Received: {value!r}")
    return number


def check_initializer(initializer: Any, name: str) -> Any:
    """The initializer that an argument means.

    Raises:
        ValueError: If there is none such, or none at all.
    """
    if initializer is None:
        raise ValueError(f"The `{name}` argument must be an initializer. Received: None")
    return initializers.get(initializer)


def check_shape(shape: Any, name: str) -> tuple[int | None, ...]:
    """Sizes, ``None`` where free.

    Raises:
        ValueError: If `shape` is no sequence of integers >= 0 and ``None``.
    """
    try:
        return tuple(None if size is None else check_integer(size, name, minimum=0) for size in shape)
    except (TypeError, ValueError):
        raise ValueError(
            f"The `{name}` argument must be a tuple of integers >= 0 and None. Received: {shape!r}"
        ) from None


def channel_axis(data_format: str) -> int:
    """The axis of the channels, counted as Keras counts it."""
    return -1 if data_format == "channels_last" else 1


def check_axis(axis: Any, name: str = "axis") -> int:
    """An axis; Keras 2 writes a list of one into files.

    Raises:
        ValueError: If it is something else.
    """
    return check_integer(axis[0] if isinstance(axis, list) and len(axis) == 1 else axis, name, minimum=-99)


def check_axes(axis: Any, name: str = "axis") -> int | list[int]:
    """An axis, or a list of axes.

    Raises:
        ValueError: If it is something else.
    """
    if isinstance(axis, list | tuple):
        return [check_axis(item, name) for item in axis]
    return check_axis(axis, name)


def known_sizes(shape: Dims, axes: Any) -> dict[int, int]:
    """Axis, counted from the front, -> size, for an axis or several.

    Raises:
        ValueError: If a size is unknown, or there is no such axis.
    """
    sizes = {axis: shape[axis] for axis in normalize_axes(axes, len(shape))}
    known = {axis: size for axis, size in sizes.items() if size is not None}
    if len(known) < len(sizes):
        raise ValueError(f"the size of axis {axes} must be known, got shape {tuple(shape)}.")
    return known
