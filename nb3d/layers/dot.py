"""`Dot`: the product of two tensors along one axis of each."""

from __future__ import annotations

from string import ascii_letters
from typing import Any

from nb3d import ops
from nb3d.layers.arguments import check_integer
from nb3d.layers.merging import Merge
from nb3d.layers.registry import LAYERS
from nb3d.ops.shapes import normalize_axis


@LAYERS.register()
class Dot(Merge):
    """The sum of products of two inputs along one axis of each, sample by sample.

    Args:
        axes: The axis of both inputs, or one of each; not the batch.
        normalize: Whether both are divided by their Euclidean norm along the axis before: a cosine then.
        **kwargs: Arguments of `Layer`.

    Output shape: the axes of the first input without the summed one, then those of the second without batch and summed
    one; ``(batch, 1)`` if nothing is left.

    Raises:
        ValueError: If `axes` is not as above; when called, if there are not two inputs, or the axes do not fit.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Dot(axes=(1, 2))([nb3d.Input((3, 5)), nb3d.Input((10, 3))]).shape
        (None, 5, 10)

    Source: https://keras.io/api/layers/merging_layers/dot/
    """

    config_fields = ("axes", "normalize")

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        several = isinstance(axes, list | tuple)
        if several and len(axes) != 2:
            raise ValueError(f"The `axes` argument must be an integer or two. Received: {axes!r}")
        self.axes = tuple(_axis(item) for item in axes) if several else _axis(axes)
        self.normalize = bool(normalize)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        x, y = self.two(inputs)
        wanted = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        a, b = (normalize_axis(axis, len(z.shape)) for axis, z in zip(wanted, (x, y), strict=True))
        if 0 in (a, b):
            raise ValueError(f"`axes` {self.axes} of shapes {tuple(x.shape)} and {tuple(y.shape)} name the batch.")
        if self.normalize:
            x, y = ops.normalize(x, a), ops.normalize(y, b)
        one, other = list(ascii_letters[: len(x.shape)]), list(ascii_letters[26 : 26 + len(y.shape)])
        other[0], other[b] = one[0], one[a]
        result = [letter for letter in one if letter != one[a]] + [x for x in other[1:] if x != one[a]]
        product = ops.einsum(f"{''.join(one)},{''.join(other)}->{''.join(result)}", x, y)
        return product if len(product.shape) > 1 else ops.expand_dims(product, 1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Masks end here."""


def _axis(value: Any) -> int:
    return check_integer(value, "axes", minimum=-99)


def dot(inputs: list[Any], axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot` as a function: the product of two `inputs` along `axes`."""
    return Dot(axes, **kwargs)(inputs)
