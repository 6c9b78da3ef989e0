"""What layers with kernels, a bias and an activation have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from nb3d import activations, constraints, ops, regularizers
from nb3d.layers.arguments import check_initializer
from nb3d.layers.layer import Layer


def weight_fields(name: str) -> tuple[str, str, str]:
    """The three arguments that a weight has."""
    return f"{name}_initializer", f"{name}_regularizer", f"{name}_constraint"


def kernel_fields(*kernels: str) -> tuple[str, ...]:
    """The arguments of a layer with such kernels, as they stand in its configuration."""
    weights = (field for name in (*kernels, "bias") for field in weight_fields(name))
    return ("activation", "use_bias", *weights, "activity_regularizer")


class KernelLayer(Layer):
    """A layer that multiplies with a kernel, adds a bias, and applies an activation.

    Its arguments are explained in `nb3d.layers.Conv3D` and `nb3d.layers.Dense`; `kernels` names the kernels, each of
    which has an initializer, a regularizer and a constraint.
    """

    kernels: ClassVar[tuple[str, ...]] = ("kernel",)
    config_fields: tuple[str, ...] = kernel_fields("kernel")

    def __init__(self, *, activation: Any, use_bias: bool, activity_regularizer: Any, **kwargs: Any) -> None:
        weights = (*self.kernels, "bias")
        roles = {field: kwargs.pop(field) for name in weights for field in weight_fields(name)}
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        for name in weights:
            initializer, regularizer, constraint = weight_fields(name)
            setattr(self, initializer, check_initializer(roles[initializer], initializer))
            setattr(self, regularizer, regularizers.get(roles[regularizer]))
            setattr(self, constraint, constraints.get(roles[constraint]))
        self.kernel: Any = None
        self.bias: Any = None

    def add_named_weight(self, name: str, shape: tuple[int, ...], role: str = "") -> Any:
        """A weight with the initializer, the regularizer and the constraint that the arguments give it."""
        initializer, regularizer, constraint = weight_fields(role or name)
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=getattr(self, initializer),
            regularizer=getattr(self, regularizer),
            constraint=getattr(self, constraint),
        )

    def add_kernel_and_bias(self, kernel_shape: tuple[int, ...], bias_size: int) -> None:
        """Makes the weights, kernel first."""
        self.kernel = self.add_named_weight("kernel", kernel_shape)
        self.add_bias_weight((bias_size,))

    def add_bias_weight(self, shape: tuple[int, ...]) -> None:
        """Makes the bias, if there is to be one."""
        if self.use_bias:
            self.bias = self.add_named_weight("bias", shape)

    def add_bias(self, product: Any) -> Any:
        """The bias on the last axis: an operation of its own, which the plan lets a kernel's write-out take over."""
        return product if self.bias is None else ops.add(product, self.bias)
