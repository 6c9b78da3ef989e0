"""`LayerNormalization`: zero mean and unit variance of every sample by itself, or of every voxel."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import check_axes, known_sizes
from nb3d.layers.registry import LAYERS
from nb3d.layers.scaled_normalization import ScaledNormalization
from nb3d.ops.shapes import normalize_axes


@LAYERS.register()
class LayerNormalization(ScaledNormalization):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, with mean and variance over some axes.

    `gamma` and `beta` have a value for every place along these axes, in C order; their shape lists the sizes in the
    order of the axes' numbers, as in Keras. A mask is passed on, and changes nothing.

    Args:
        axis: The axis, or axes, over which the statistics are taken: those of the features.
        epsilon: Added to the variance.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: Initial values of `beta`.
        gamma_initializer: Initial values of `gamma`.
        beta_regularizer: Loss on `beta`.
        gamma_regularizer: Loss on `gamma`.
        beta_constraint: Constraint kept on `beta`.
        gamma_constraint: Constraint kept on `gamma`.
        rms_scaling: Deprecated in Keras: ``gamma * x / sqrt(variance + epsilon)``, and no `beta`.
        **kwargs: Arguments of `Layer`.

    Input shape: any; the sizes of the axes must be known.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> layer = nb3d.layers.LayerNormalization(axis=[1, 2])
        >>> layer(nb3d.Input((5, 6, 7))).shape
        (None, 5, 6, 7)
        >>> layer.gamma.shape
        (5, 6)

    Source: https://keras.io/api/layers/normalization_layers/layer_normalization/; Ba, Kiros and Hinton, 2016
    """

    config_fields = (*ScaledNormalization.config_fields, "axis", "rms_scaling")

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        rms_scaling: bool = False,
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
        self.axis = check_axes(axis)
        self.rms_scaling = bool(rms_scaling)

    def build(self, input_shape: Dims) -> None:
        sizes = known_sizes(input_shape, self.axis)
        given = sorted(self.axis if isinstance(self.axis, list) else [self.axis])  # as Keras does: -1 stands before 1
        self.add_gamma_and_beta(tuple(sizes[axis % len(input_shape)] for axis in given), self.rms_scaling)
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)

    def call(self, inputs: Any) -> Any:
        rank = len(inputs.shape)
        axes = normalize_axes(self.axis, rank)
        sizes = [inputs.shape[axis] for axis in axes]
        gamma, beta = (None if weight is None else ops.reshape(weight, sizes) for weight in (self.gamma, self.beta))
        if not self.rms_scaling:
            return ops.layer_normalization(inputs, gamma, beta, axes, self.epsilon)
        scaled = inputs * ops.rsqrt(ops.variance(inputs, axes, keepdims=True) + self.epsilon)
        return scaled * ops.reshape(gamma, [inputs.shape[axis] if axis in axes else 1 for axis in range(rank)])
