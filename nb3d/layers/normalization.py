"""`Normalization`: values of a data set to zero mean and unit variance."""

from __future__ import annotations

from typing import Any

import numpy as np

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.engine.settings import SETTINGS
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import check_axes, check_number, known_sizes
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS
from nb3d.ops.shapes import normalize_axes


@LAYERS.register()
class Normalization(Layer):
    """``(x - mean) / sqrt(variance)``, in the dtype of the layer, with the statistics of a data set.

    They are given, or they are weights, which `adapt` computes from data and files hold.

    Args:
        axis: The axis, or axes, along which every place has its own mean and variance; ``None``: there is one of each.
        mean: Of the shape of these axes, or of the last of them, or a number.
        variance: Likewise.
        invert: Whether the layer undoes a normalization: ``mean + x * sqrt(variance)``.
        **kwargs: Arguments of `Layer`.

    Input shape: any; the sizes of the axes must be known.

    Raises:
        ValueError: If an argument is not as above; when built, if the statistics do not fit the input.

    Example:
        >>> import nb3d, numpy as np
        >>> layer = nb3d.layers.Normalization(axis=-1)
        >>> layer.adapt(np.array([[0.0, 7.0], [2.0, 9.0]]))
        >>> layer(np.array([[0.0, 9.0]]))
        array([[-1.,  1.]], dtype=float32)

    Source: https://keras.io/api/layers/preprocessing_layers/numerical/normalization/
    """

    config_fields = ("axis", "mean", "variance", "invert")
    supports_masking = True

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        axes = check_axes([] if axis is None else axis)
        self.axis = axes if isinstance(axes, list) else [axes]
        if (mean is None) != (variance is None):
            raise ValueError(f"`mean` and `variance` must be given together. Received: {mean!r} and {variance!r}")
        self.mean, self.variance = _numbers(mean, "mean"), _numbers(variance, "variance")
        if np.shape(self.mean) != np.shape(self.variance) or np.ndim(self.mean) > len(self.axis):
            raise ValueError(
                f"`mean` and `variance` must have one shape, of at most {len(self.axis)} axes. Received shapes: "
                f"{np.shape(self.mean)} and {np.shape(self.variance)}"
            )
        self.invert = bool(invert)
        self.adapt_mean: Any = None
        self.adapt_variance: Any = None
        self.count: Any = None

    def build(self, input_shape: Dims) -> None:
        sizes = known_sizes(input_shape, self.axis)
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)
        shape = tuple(sizes.values())
        if self.mean is None:
            self.adapt_mean = self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)
            self.adapt_variance = self.add_weight(name="variance", shape=shape, initializer="ones", trainable=False)
            # Of no use, but in every file.
            self.count = self.add_weight(name="count", shape=(), dtype="int64", initializer="zeros", trainable=False)
            return
        try:
            np.broadcast_to(self.mean, shape)
        except ValueError:
            raise ValueError(
                f"a `mean` of shape {np.shape(self.mean)} does not fit the axes {self.axis}, of sizes {shape}."
            ) from None

    def adapt(self, data: Any) -> None:
        """Takes mean and variance from data.

        Args:
            data: An array, all samples at once.

        Raises:
            TypeError: If it is no array.
            ValueError: If the layer was given its statistics, or the array does not fit it.
        """
        if not isinstance(data, np.ndarray):
            raise TypeError(f"Layer {self.name!r}: adapt needs an array, got {type(data).__name__}.")
        if self.mean is not None:
            raise ValueError(f"Layer {self.name!r}: its `mean` and `variance` were given, so it cannot adapt to data.")
        self._prepare((data,), {})
        axes = normalize_axes(self.axis, data.ndim)
        others = tuple(axis for axis in range(data.ndim) if axis not in axes)
        self.adapt_mean.assign(np.mean(data, others, dtype="float64"))
        self.adapt_variance.assign(np.var(data, others, dtype="float64"))

    def call(self, inputs: Any) -> Any:
        axes, rank = normalize_axes(self.axis, len(inputs.shape)), len(inputs.shape)
        sizes = [inputs.shape[axis] if axis in axes else 1 for axis in range(rank)]
        if self.mean is None:
            mean, variance = (ops.reshape(weight, sizes) for weight in (self.adapt_mean, self.adapt_variance))
        else:
            kept = [sizes[axis] for axis in axes]
            mean, variance = (
                np.broadcast_to(np.asarray(value, self.dtype), kept).reshape(sizes)
                for value in (self.mean, self.variance)
            )
        deviation = ops.maximum(ops.sqrt(variance), SETTINGS.epsilon())
        x = ops.cast(inputs, self.dtype)
        return mean + x * deviation if self.invert else (x - mean) / deviation


def _numbers(value: Any, name: str) -> Any:
    """Numbers as nested lists, as configurations hold them."""
    if isinstance(value, list | tuple | np.ndarray):
        return [_numbers(item, name) for item in value]
    return None if value is None else check_number(value, name)
