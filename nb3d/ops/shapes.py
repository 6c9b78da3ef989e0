"""Shape rules shared by operations; sizes may be ``None``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nb3d.engine.tensor import Dims, TensorSpec

SPATIAL_AXES = ("depth", "height", "width")


def broadcast(*shapes: Dims) -> Dims:
    """NumPy's broadcasting, where ``None`` meets anything: with 1 it stays unknown, with n it is taken for n.

    Raises:
        ValueError: If two known sizes differ and neither is 1.
    """
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    result: list[int | None] = []
    for sizes in zip(*padded, strict=True):
        known = {size for size in sizes if size not in (1, None)}
        if len(known) > 1:
            raise ValueError(f"shapes {', '.join(map(str, shapes))} cannot be broadcast together")
        result.append(known.pop() if known else (None if None in sizes else 1))
    return tuple(result)


def normalize_axis(axis: Any, rank: int, what: str = "axis") -> int:
    """`axis` counted from the front.

    Raises:
        ValueError: If it is not an integer, or out of range.
    """
    try:
        index = int(axis)
    except (TypeError, ValueError):
        raise ValueError(f"{what} must be an integer, got {axis!r}") from None
    if not -rank <= index < rank:
        raise ValueError(f"{what} {axis} is out of range for a tensor of rank {rank}")
    return index % rank


def normalize_axes(axes: Any, rank: int) -> tuple[int, ...]:
    """`axes` (``None`` for all, a number, or several) counted from the front, sorted.

    Raises:
        ValueError: If one is out of range or stands there twice.
    """
    if axes is None:
        return tuple(range(rank))
    given = list(axes) if isinstance(axes, Iterable) else [axes]
    result = sorted(normalize_axis(axis, rank) for axis in given)
    if len(set(result)) != len(result):
        raise ValueError(f"axes {tuple(given)} name one axis twice")
    return tuple(result)


def integers(value: Any, name: str, count: int, minimum: int = 1) -> tuple[int, ...]:
    """So many integers from one, or from as many.

    Args:
        value: An integer, or an iterable of `count`.
        name: What they are, for messages.
        count: How many are needed.
        minimum: The smallest value allowed.

    Raises:
        ValueError: If there are not so many, or one is not an integer or too small.
    """
    wanted, received = f"a tuple of {count} integers" if count > 1 else "an integer", f"Received: {value!r}"
    try:
        items = list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value] * count
        numbers = tuple(map(integer, items))
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"The `{name}` argument must be {wanted}. {received}") from None
    if len(numbers) != count:
        raise ValueError(f"The `{name}` argument must be {wanted}. {received}")
    if min(numbers) < minimum:
        raise ValueError(f"The `{name}` argument must be {wanted} >= {minimum}. {received}")
    return numbers


def integer(value: Any) -> int:
    """`value` as an integer of 32 bits; strings of digits and whole floats are integers too.

    Raises:
        ValueError: If it is something else, or so large that kernels could not count to its products in 64 bits.
        TypeError: If it is no number at all.
    """
    number = int(value)
    if abs(number) >= 2**31 or (number != value and not isinstance(value, str)):
        raise ValueError(f"{value!r} is not an integer")
    return number


def effective_size(kernel: int, dilation: int) -> int:
    """Voxels that a dilated kernel spans."""
    return (kernel - 1) * dilation + 1


def window_output_length(
    size: int | None, kernel: int, stride: int, padding: str | tuple[int, int], dilation: int = 1
) -> int | None:
    """Positions of a window: ``ceil(n / s)`` for ``same``, ``ceil((n - span + 1) / s)`` for ``valid``.

    A pair of paddings says how many voxels are added before and behind, negative where they are cut.
    """
    if size is None:
        return None
    span = 1 if padding == "same" else effective_size(kernel, dilation)
    added = 0 if isinstance(padding, str) else sum(padding)
    return -(-(size + added - span + 1) // stride)


def same_padding_before(size: int, kernel: int, stride: int, dilation: int = 1) -> int:
    """Voxels that ``same`` adds before an axis; TensorFlow puts the odd one after it."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + effective_size(kernel, dilation) - size, 0)
    return total // 2


def check_rank(x: TensorSpec, rank: int, what: str) -> None:
    """Raises `ValueError` unless `x` has `rank` axes."""
    if len(x.shape) != rank:
        raise ValueError(f"{what}: expected a tensor of rank {rank}, got shape {x.shape}")


def product(sizes: Iterable[int | None]) -> int | None:
    """The product of sizes, ``None`` if one is unknown."""
    result = 1
    for size in sizes:
        if size is None:
            return None
        result *= size
    return result
