"""What normalizations with a learned scale and offset have in common."""

from __future__ import annotations

from typing import Any

from nb3d import constraints, regularizers
from nb3d.layers.arguments import check_initializer, check_number
from nb3d.layers.layer import Layer


class ScaledNormalization(Layer):
    """A layer that normalizes, multiplies by `gamma` and adds `beta`.

    Its arguments are explained in `nb3d.layers.BatchNormalization` and `nb3d.layers.LayerNormalization`.
    """

    config_fields: tuple[str, ...] = (
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    )
    supports_masking = True

    def __init__(
        self,
        *,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = check_number(epsilon, "epsilon", 0)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = check_initializer(beta_initializer, "beta_initializer")
        self.gamma_initializer = check_initializer(gamma_initializer, "gamma_initializer")
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Any = None
        self.beta: Any = None

    def add_gamma_and_beta(self, shape: tuple[int, ...], rms_scaling: bool = False) -> None:
        """Makes the weights that there are, `gamma` first; with `rms_scaling` that and no other."""
        if self.scale or rms_scaling:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center and not rms_scaling:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
