"""`Dense`: every output is a weighted sum of all inputs."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import check_integer
from nb3d.layers.kernel_layer import KernelLayer
from nb3d.layers.registry import LAYERS


@LAYERS.register()
class Dense(KernelLayer):
    """The product of the last axis with a matrix, plus a bias, and an activation.

    Args:
        units: Size of the last axis of the output.
        activation: Name, function or layer that is applied in the end; none where absent.
        use_bias: Whether there is a bias.
        kernel_initializer: Initial values of the matrix, ``(inputs, units)``.
        bias_initializer: Initial values of the bias, ``(units,)``.
        kernel_regularizer: Loss on the matrix.
        bias_regularizer: Loss on the bias.
        activity_regularizer: Loss on the output.
        kernel_constraint: Constraint kept on the matrix.
        bias_constraint: Constraint kept on the bias.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, ..., inputs)``.

    Output shape: ``(batch, ..., units)``.

    Raises:
        ValueError: If an argument is not as above; when called, if the size of the input's last axis does not fit.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Dense(10, activation="softmax")(nb3d.Input((128,))).shape
        (None, 10)

    Source: https://keras.io/api/layers/core_layers/dense/
    """

    config_fields = ("units", *KernelLayer.config_fields)
    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.units = check_integer(units, "units")
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Dims) -> None:
        inputs = input_shape[-1]
        if inputs is None:
            raise ValueError(
                f"Layer {self.name!r}: the last dimension of the input must be known, got shape {tuple(input_shape)}."
            )
        self.add_kernel_and_bias((inputs, self.units), self.units)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})

    def call(self, inputs: Any) -> Any:
        return self.activation(self.add_bias(ops.dense(inputs, self.kernel)))
