"""Activations as layers. Those that stand for one function may be named where an activation is asked for, too."""

from __future__ import annotations

from typing import Any

from nb3d import activations, constraints, ops, regularizers
from nb3d.activations import ACTIVATIONS
from nb3d.engine.input_spec import InputSpec
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import check_axes, check_initializer, check_integer, check_number
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS
from nb3d.ops.products import masked_scores


@LAYERS.register()
class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: Name or function.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If there is no such activation.

    Example:
        >>> import nb3d, numpy as np
        >>> nb3d.layers.Activation("relu")(np.array([-1.0, 2.0], "float32"))
        array([0., 2.], dtype=float32)

    Source: https://keras.io/api/layers/core_layers/activation/
    """

    config_fields = ("activation",)
    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


@ACTIVATIONS.register()
@LAYERS.register()
class ReLU(Layer):
    """`x` above `threshold`, at most `max_value`; ``negative_slope * (x - threshold)`` elsewhere.

    Args:
        max_value: The largest value; none where absent.
        negative_slope: Slope below the threshold.
        threshold: Where the activation begins.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If an argument is negative.

    Example:
        >>> import nb3d, numpy as np
        >>> nb3d.layers.ReLU(max_value=1.5, negative_slope=0.5)(np.array([-1.0, 1.0, 2.0], "float32"))
        array([-0.5,  1. ,  1.5], dtype=float32)

    Source: https://keras.io/api/layers/activation_layers/relu/
    """

    config_fields = ("max_value", "negative_slope", "threshold")
    supports_masking = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else check_number(max_value, "max_value", 0)
        self.negative_slope = check_number(negative_slope, "negative_slope", 0)
        self.threshold = check_number(threshold, "threshold", 0)

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@ACTIVATIONS.register()
@LAYERS.register()
class LeakyReLU(Layer):
    """`x` where it is positive, ``negative_slope * x`` elsewhere.

    Args:
        negative_slope: Slope of the negative side.
        alpha: The older name of `negative_slope`, which it overrides.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If the slope is negative.

    Example:
        >>> import nb3d, numpy as np
        >>> nb3d.layers.LeakyReLU(0.5)(np.array([-1.0, 2.0], "float32"))
        array([-0.5,  2. ], dtype=float32)

    Source: https://keras.io/api/layers/activation_layers/leaky_relu/
    """

    config_fields = ("negative_slope",)
    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, *, alpha: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative_slope = check_number(negative_slope if alpha is None else alpha, "negative_slope", 0)

    def call(self, inputs: Any) -> Any:
        return ops.leaky_relu(inputs, self.negative_slope)


@ACTIVATIONS.register()
@LAYERS.register()
class ELU(Layer):
    """`x` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Args:
        alpha: Where the negative side ends, as a distance from 0.
        **kwargs: Arguments of `Layer`.

    Example:
        >>> import nb3d, numpy as np
        >>> nb3d.layers.ELU()(np.array([-1.0, 2.0])).round(3)
        array([-0.632,  2.   ], dtype=float32)

    Source: https://keras.io/api/layers/activation_layers/elu/
    """

    config_fields = ("alpha",)
    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = check_number(alpha, "alpha")

    def call(self, inputs: Any) -> Any:
        return ops.elu(inputs, self.alpha)


@ACTIVATIONS.register()
@LAYERS.register()
class PReLU(Layer):
    """`x` where it is positive, ``alpha * x`` elsewhere, with a slope `alpha` that is learned.

    Args:
        alpha_initializer: Initial values of the slopes, one per value of a sample.
        alpha_regularizer: Loss on the slopes.
        alpha_constraint: Constraint kept on the slopes.
        shared_axes: Axes along which all values have one slope, counted from 1: ``(1, 2, 3)`` for a slope per channel.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If an argument is not as above; when built, if the size of an axis that is not shared is unknown.

    Example:
        >>> import nb3d
        >>> layer = nb3d.layers.PReLU(shared_axes=[1, 2, 3])
        >>> y = layer(nb3d.Input((None, None, None, 4)))
        >>> layer.alpha.shape
        (1, 1, 1, 4)

    Source: https://keras.io/api/layers/activation_layers/prelu/
    """

    config_fields = ("alpha_initializer", "alpha_regularizer", "alpha_constraint", "shared_axes")
    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = check_initializer(alpha_initializer, "alpha_initializer")
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        axes = shared_axes if isinstance(shared_axes, list | tuple | None) else [shared_axes]
        self.shared_axes = axes and [check_integer(axis, "shared_axes") for axis in axes]
        self.alpha: Any = None

    def build(self, input_shape: Dims) -> None:
        rank, shared = len(input_shape), self.shared_axes or []
        if shared and max(shared) >= rank:
            raise ValueError(f"Layer {self.name!r}: `shared_axes` {shared} do not fit an input of shape {input_shape}.")
        shape = tuple(1 if axis in shared else input_shape[axis] for axis in range(1, rank))
        if None in shape:
            raise ValueError(
                f"Layer {self.name!r}: axes of unknown size must be among the `shared_axes`, got {shared} for an input "
                f"of shape {tuple(input_shape)}."
            )
        self.alpha = self.add_weight(
            name="alpha",
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        axes = {axis: input_shape[axis] for axis in range(1, rank) if axis not in shared}
        self.input_spec = InputSpec(ndim=rank, axes=axes)

    def call(self, inputs: Any) -> Any:
        return ops.prelu(inputs, self.alpha)


@ACTIVATIONS.register()
@LAYERS.register()
class Softmax(Layer):
    """``exp(x) / sum(exp(x))`` along one axis or several.

    Args:
        axis: The axis, or axes.
        **kwargs: Arguments of `Layer`.

    Example:
        >>> import nb3d, numpy as np
        >>> nb3d.layers.Softmax()(np.array([[1.0, 2.0, 1.0]])).round(3)
        array([[0.212, 0.576, 0.212]], dtype=float32)

    Source: https://keras.io/api/layers/activation_layers/softmax/
    """

    config_fields = ("axis",)
    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = check_axes(axis)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return ops.softmax(inputs, self.axis)
        # Masked values count for nothing, and are nothing where all along the axis are masked.
        return ops.where(mask, ops.softmax(masked_scores(inputs, mask), self.axis), 0.0)
