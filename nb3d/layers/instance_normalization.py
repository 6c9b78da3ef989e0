"""`InstanceNormalization`: zero mean and unit variance per sample and channel, as keras_contrib has it."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import check_axis, known_sizes
from nb3d.layers.registry import LAYERS
from nb3d.layers.scaled_normalization import ScaledNormalization


@LAYERS.register()
class InstanceNormalization(ScaledNormalization):
    """``gamma * (x - mean) / (deviation + epsilon) + beta``, with mean and deviation per sample and channel.

    This is the layer of that name in keras_contrib, which Keras never had: `epsilon` is added to the standard
    deviation. TensorFlow Addons, and PyTorch, add it to the variance: that is ``GroupNormalization(groups=-1)``, and
    files of TensorFlow Addons are read so. A mask is passed on, and changes nothing.

    Args:
        axis: The axis of the channels; 1 for channels first. ``None``: statistics are those of a whole sample, and
            `gamma` and `beta` have one value.
        epsilon: Added to the standard deviation.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: Initial values of `beta`.
        gamma_initializer: Initial values of `gamma`.
        beta_regularizer: Loss on `beta`.
        gamma_regularizer: Loss on `gamma`.
        beta_constraint: Constraint kept on `beta`.
        gamma_constraint: Constraint kept on `gamma`.
        **kwargs: Arguments of `Layer`.

    Input shape: any; the size of `axis` (of the last axis, if it is ``None``) must be known.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> layer = nb3d.layers.InstanceNormalization(axis=-1)
        >>> layer(nb3d.Input((8, 8, 8, 12))).shape
        (None, 8, 8, 8, 12)

    Source: Ulyanov, Vedaldi and Lempitsky, "Instance Normalization", 2016
    """

    config_fields = (*ScaledNormalization.config_fields, "axis")

    def __init__(
        self,
        axis: int | None = None,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.axis = None if axis is None else check_axis(axis)
        if self.axis == 0:
            raise ValueError("The `axis` argument must not be 0, the axis of the samples.")

    def build(self, input_shape: Dims) -> None:
        sizes = known_sizes(input_shape, -1 if self.axis is None else self.axis)
        self.add_gamma_and_beta((1,) if self.axis is None else tuple(sizes.values()))
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)

    def call(self, inputs: Any) -> Any:
        weights, axis, groups = (self.gamma, self.beta), self.axis, 1
        if axis is None:
            axis, channels = -1, (inputs.shape[-1],)
            gamma, beta = (None if weight is None else ops.broadcast_to(weight, channels) for weight in weights)
        else:
            groups = inputs.shape[axis]
            gamma, beta = weights
        return ops.group_normalization(inputs, groups, axis, gamma, beta, self.epsilon, epsilon_to_deviation=True)
