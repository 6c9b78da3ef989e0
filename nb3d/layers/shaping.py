"""Layers that rearrange the values of a sample."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.layers.arguments import check_data_format, check_integer
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS
from nb3d.ops.shaping import channels_first_to_last, reshape_samples


@LAYERS.register()
class Flatten(Layer):
    """All values of a sample in one row, in the order of channels last.

    Args:
        data_format: The format of the input; with ``'channels_first'`` the channels are moved to the end before.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, ...)``.

    Output shape: ``(batch, values)``.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Flatten()(nb3d.Input((4, 4, 4, 2))).shape
        (None, 128)

    Source: https://keras.io/api/layers/reshaping_layers/flatten/
    """

    config_fields = ("data_format",)

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = channels_first_to_last(inputs)
        return reshape_samples(inputs, (-1,) if len(inputs.shape) > 1 else (1,))


@LAYERS.register()
class Reshape(Layer):
    """The values of a sample in another shape, in C order.

    Args:
        target_shape: Sizes without the batch; one may be -1 and follows from the others.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If an argument is not as above; when called, if the number of values differs.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Reshape((4, -1))(nb3d.Input((4, 4, 4, 2))).shape
        (None, 4, 32)

    Source: https://keras.io/api/layers/reshaping_layers/reshape/
    """

    config_fields = ("target_shape",)

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = _check_integers(target_shape, "target_shape", minimum=-1)
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"The `target_shape` argument must have at most one -1. Received: {target_shape!r}")

    def call(self, inputs: Any) -> Any:
        return reshape_samples(inputs, self.target_shape)


@LAYERS.register()
class Permute(Layer):
    """The axes of a sample in another order.

    Args:
        dims: The axes in their new order, counted from 1; the batch stays where it is.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If `dims` are not 1, 2, ... in some order; when called, if their number is not that of the axes.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Permute((4, 1, 2, 3))(nb3d.Input((8, 8, 8, 2))).shape
        (None, 2, 8, 8, 8)

    Source: https://keras.io/api/layers/reshaping_layers/permute/
    """

    config_fields = ("dims",)

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = _check_integers(dims, "dims", minimum=1)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"The `dims` argument must hold 1, 2, ... in some order. Received: {dims!r}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))


@LAYERS.register()
class RepeatVector(Layer):
    """A vector `n` times, one below the other.

    Args:
        n: How often.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, features)``.

    Output shape: ``(batch, n, features)``.

    Raises:
        ValueError: If `n` is no integer above 0.

    Example:
        >>> import nb3d
        >>> nb3d.layers.RepeatVector(3)(nb3d.Input((32,))).shape
        (None, 3, 32)

    Source: https://keras.io/api/layers/reshaping_layers/repeat_vector/
    """

    config_fields = ("n",)

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = check_integer(n, "n")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)


def _check_integers(values: Any, name: str, minimum: int) -> tuple[int, ...]:
    try:
        return tuple(check_integer(value, name, minimum) for value in values)
    except TypeError:
        raise ValueError(f"The `{name}` argument must be a tuple of integers. Received: {values!r}") from None
