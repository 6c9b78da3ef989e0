"""What layers with a kernel, a bias and an activation have in common."""

from __future__ import annotations

from typing import Any

from nb3d import activations, constraints, ops, regularizers
from nb3d.layers.arguments import check_initializer
from nb3d.layers.layer import Layer


class KernelLayer(Layer):
    """A layer that multiplies with a kernel, adds a bias, and applies an activation.

    Its arguments are explained in `nb3d.layers.Conv3D` and `nb3d.layers.Dense`.
    """

    config_fields: tuple[str, ...] = (
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        *,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = check_initializer(kernel_initializer, "kernel_initializer")
        self.bias_initializer = check_initializer(bias_initializer, "bias_initializer")
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Any = None
        self.bias: Any = None

    def add_kernel_and_bias(self, kernel_shape: tuple[int, ...], bias_size: int) -> None:
        """Makes the weights, kernel first."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel_shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(bias_size,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def add_bias(self, product: Any) -> Any:
        """The bias on the last axis: an operation of its own, which the plan lets a kernel's write-out take over."""
        return product if self.bias is None else ops.add(product, self.bias)
