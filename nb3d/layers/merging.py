"""Layers that make one tensor of several, element by element."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from nb3d import ops
from nb3d.layers.arguments import check_integer
from nb3d.layers.layer import Layer
from nb3d.layers.masks import spread
from nb3d.layers.registry import LAYERS
from nb3d.ops.filling import nowhere

Masks = list[Any]


class Merge(Layer):
    """A layer that is called on a list of tensors.

    Shapes broadcast; a tensor of lower rank gets axes of size 1 behind the batch. The mask of the output is true where
    one of the masks is; without the mask of every input there is none.

    Args:
        **kwargs: Arguments of `Layer`.
    """

    supports_masking = True

    def merge(self, inputs: list[Any], masks: Masks) -> Any:
        """One tensor of tensors of one rank, each with its mask or ``None``."""
        raise NotImplementedError

    def call(self, inputs: Any, mask: Any = None) -> Any:
        tensors = self.listed(inputs)
        batches = {x.shape[0] for x in tensors if x.shape} - {None}
        if len(batches) > 1:
            shapes = [tuple(x.shape) for x in tensors]
            raise ValueError(f"batches of different sizes cannot be merged, got shapes {shapes}.")
        rank = max(len(x.shape) for x in tensors)
        masks = [
            item if len(x.shape) == rank else None
            for x, item in zip(tensors, mask or [None] * len(tensors), strict=True)
        ]
        return self.merge([_of_rank(x, rank) for x in tensors], masks)

    def listed(self, inputs: Any) -> list[Any]:
        """The tensors that the layer is called on.

        Raises:
            ValueError: If they come not as a list, or there is none.
        """
        if not isinstance(inputs, list | tuple) or not inputs:
            raise ValueError(f"a layer that merges must be called on a list of at least 1 input, got {inputs!r}.")
        return list(inputs)

    def two(self, inputs: Any) -> list[Any]:
        """The two tensors that the layer is called on.

        Raises:
            ValueError: If there are not two.
        """
        tensors = self.listed(inputs)
        if len(tensors) != 2:
            raise ValueError(f"Layer {self.name!r} must be called on exactly 2 inputs, got {len(tensors)}.")
        return tensors

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or any(item is None for item in mask):
            return None
        return reduce(ops.logical_or, mask)


def _of_rank(x: Any, rank: int) -> Any:
    while len(x.shape) < rank:
        x = ops.expand_dims(x, 1)
    return x


def _spreads(inputs: list[Any], masks: Masks) -> Masks:
    """The masks in the shapes of their inputs."""
    return [None if mask is None else spread(mask, x) for x, mask in zip(inputs, masks, strict=True)]


@LAYERS.register()
class Add(Merge):
    """The sum of all inputs.

    Args:
        **kwargs: Arguments of `Layer`.

    Example:
        >>> import nb3d
        >>> a, b = nb3d.Input((8, 8, 8, 3)), nb3d.Input((8, 8, 8, 3))
        >>> nb3d.layers.Add()([a, b]).shape
        (None, 8, 8, 8, 3)

    Source: https://keras.io/api/layers/merging_layers/add/
    """

    def merge(self, inputs: list[Any], masks: Masks) -> Any:
        return reduce(ops.add, inputs)


@LAYERS.register()
class Subtract(Merge):
    """The first input minus the second.

    Args:
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: When called, if there are not two inputs.

    Source: https://keras.io/api/layers/merging_layers/subtract/
    """

    def merge(self, inputs: list[Any], masks: Masks) -> Any:
        return ops.subtract(*self.two(inputs))


@LAYERS.register()
class Multiply(Merge):
    """The product of all inputs; masked values count as 1, and are 0 where all are masked.

    Args:
        **kwargs: Arguments of `Layer`.

    Source: https://keras.io/api/layers/merging_layers/multiply/
    """

    def merge(self, inputs: list[Any], masks: Masks) -> Any:
        spreads = _spreads(inputs, masks)
        factors = [x if kept is None else ops.where(kept, x, 1.0) for x, kept in zip(inputs, spreads, strict=True)]
        product = reduce(ops.multiply, factors)
        if any(kept is None for kept in spreads):
            return product
        return ops.where(reduce(ops.logical_or, spreads), product, 0.0)


@LAYERS.register()
class Average(Merge):
    """The mean of all inputs.

    Args:
        **kwargs: Arguments of `Layer`.

    Source: https://keras.io/api/layers/merging_layers/average/
    """

    def merge(self, inputs: list[Any], masks: Masks) -> Any:
        return reduce(ops.add, inputs) / len(inputs)


class _Extreme(Merge):
    """The larger or smaller of the inputs; a masked value never wins over one that is not."""

    choose: Callable[[Any, Any], Any]

    def merge(self, inputs: list[Any], masks: Masks) -> Any:
        spreads = _spreads(inputs, masks)
        best, best_kept = inputs[0], spreads[0]
        for x, kept in zip(inputs[1:], spreads[1:], strict=True):
            rival = x if kept is None else ops.where(kept, x, best)
            best = type(self).choose(best if best_kept is None else ops.where(best_kept, best, rival), rival)
            best_kept = None if kept is None or best_kept is None else ops.logical_or(best_kept, kept)
        return best


@LAYERS.register()
class Maximum(_Extreme):
    """The largest of all inputs.

    Args:
        **kwargs: Arguments of `Layer`.

    Source: https://keras.io/api/layers/merging_layers/maximum/
    """

    choose = staticmethod(ops.maximum)


@LAYERS.register()
class Minimum(_Extreme):
    """The smallest of all inputs.

    Args:
        **kwargs: Arguments of `Layer`.

    Source: https://keras.io/api/layers/merging_layers/minimum/
    """

    choose = staticmethod(ops.minimum)


@LAYERS.register()
class Concatenate(Merge):
    """The inputs side by side along one axis.

    The mask of the output is made of the masks side by side, true for an input without.

    Args:
        axis: The axis.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If `axis` is no integer; when called, if the inputs differ along another axis.

    Example:
        >>> import nb3d
        >>> a, b = nb3d.Input((8, 8, 8, 3)), nb3d.Input((8, 8, 8, 4))
        >>> nb3d.layers.Concatenate()([a, b]).shape
        (None, 8, 8, 8, 7)

    Source: https://keras.io/api/layers/merging_layers/concatenate/
    """

    config_fields = ("axis",)

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = check_integer(axis, "axis", minimum=-99)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return ops.concatenate(self.listed(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or all(item is None for item in mask):
            return None
        whole = [_whole(item, x) for item, x in zip(mask, inputs, strict=True)]
        return ops.any(ops.concatenate(whole, self.axis), axis=-1)


def _whole(mask: Any, x: Any) -> Any:
    """A mask in the shape of `x`, true where there is none."""
    if mask is None:
        return ops.logical_not(nowhere(x))
    return spread(mask, x) if len(mask.shape) < len(x.shape) else mask


def add(inputs: list[Any], **kwargs: Any) -> Any:
    """`Add` as a function: the sum of `inputs`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: list[Any], **kwargs: Any) -> Any:
    """`Subtract` as a function: the first of two `inputs` minus the second."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: list[Any], **kwargs: Any) -> Any:
    """`Multiply` as a function: the product of `inputs`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: list[Any], **kwargs: Any) -> Any:
    """`Average` as a function: the mean of `inputs`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: list[Any], **kwargs: Any) -> Any:
    """`Maximum` as a function: the largest of `inputs`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: list[Any], **kwargs: Any) -> Any:
    """`Minimum` as a function: the smallest of `inputs`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: list[Any], axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate` as a function: `inputs` side by side along `axis`."""
    return Concatenate(axis=axis, **kwargs)(inputs)
