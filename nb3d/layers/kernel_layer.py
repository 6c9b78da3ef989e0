"""What layers with weights that arguments describe have in common, and those with kernels, a bias and an activation."""

from __future__ import annotations

from typing import Any, ClassVar

from nb3d import activations, constraints, ops, regularizers
from nb3d.layers.arguments import check_initializer
from nb3d.layers.layer import Layer


def weight_fields(*names: str) -> tuple[str, ...]:
    """The three arguments that each of some weights has."""
    return tuple(f"{name}_{role}" for name in names for role in ("initializer", "regularizer", "constraint"))


def kernel_fields(*kernels: str) -> tuple[str, ...]:
    """The arguments of a layer with such kernels, as they stand in its configuration."""
    return ("activation", "use_bias", *weight_fields(*kernels, "bias"), "activity_regularizer")


class WeightedLayer(Layer):
    """A layer each of whose weights has an initializer, a regularizer and a constraint; `roles` names them."""

    roles: ClassVar[tuple[str, ...]]

    def __init__(self, **kwargs: Any) -> None:
        given = {field: kwargs.pop(field) for field in weight_fields(*self.roles)}
        super().__init__(**kwargs)
        for name in self.roles:
            initializer, regularizer, constraint = weight_fields(name)
            setattr(self, initializer, check_initializer(given[initializer], initializer))
            setattr(self, regularizer, regularizers.get(given[regularizer]))
            setattr(self, constraint, constraints.get(given[constraint]))

    def add_named_weight(self, name: str, shape: tuple[int, ...], role: str = "") -> Any:
        """A weight with the initializer, the regularizer and the constraint that the arguments give it."""
        initializer, regularizer, constraint = (getattr(self, field) for field in weight_fields(role or name))
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, regularizer=regularizer, constraint=constraint
        )


class KernelLayer(WeightedLayer):
    """A layer that multiplies with a kernel, adds a bias, and applies an activation.

    Its arguments are explained in `nb3d.layers.Conv3D` and `nb3d.layers.Dense`.
    """

    roles: ClassVar[tuple[str, ...]] = ("kernel", "bias")
    config_fields: tuple[str, ...] = kernel_fields("kernel")

    def __init__(self, *, activation: Any, use_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel: Any = None
        self.bias: Any = None

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
