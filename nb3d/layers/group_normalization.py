"""`GroupNormalization`: zero mean and unit variance per sample and group of channels."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import check_axis, check_integer, known_sizes
from nb3d.layers.registry import LAYERS
from nb3d.layers.scaled_normalization import ScaledNormalization


@LAYERS.register("Addons>GroupNormalization", "Addons>InstanceNormalization")
class GroupNormalization(ScaledNormalization):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, with statistics per sample and group of channels.

    Files of TensorFlow Addons name this layer too, and its instance normalization, which is ``groups=-1``. A mask is
    passed on, and changes nothing.

    Args:
        groups: How many groups of neighbouring channels there are; -1 for one per channel (instance normalization).
        axis: The axis of the channels; 1 for channels first.
        epsilon: Added to the variance.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: Initial values of `beta`.
        gamma_initializer: Initial values of `gamma`.
        beta_regularizer: Loss on `beta`.
        gamma_regularizer: Loss on `gamma`.
        beta_constraint: Constraint kept on `beta`.
        gamma_constraint: Constraint kept on `gamma`.
        **kwargs: Arguments of `Layer`.

    Input shape: any; the size of `axis` must be known, and a multiple of the groups.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> layer = nb3d.layers.GroupNormalization(groups=4)
        >>> layer(nb3d.Input((8, 8, 8, 12))).shape
        (None, 8, 8, 8, 12)

    Source: https://keras.io/api/layers/normalization_layers/group_normalization/; Wu and He, 2018
    """

    config_fields = (*ScaledNormalization.config_fields, "groups", "axis")

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        self.groups = -1 if groups == -1 else check_integer(groups, "groups")
        self.axis = check_axis(axis)

    def build(self, input_shape: Dims) -> None:
        (channels,) = known_sizes(input_shape, self.axis).values()
        if channels % self.groups:
            raise ValueError(f"{channels} channels cannot be divided into {self.groups} `groups` of one size.")
        self.add_gamma_and_beta((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        groups = inputs.shape[self.axis] if self.groups == -1 else self.groups
        return ops.group_normalization(inputs, groups, self.axis, self.gamma, self.beta, self.epsilon)
