"""What an optimizer would make of weights after a step: callables of an array or tensor that return a projected one.

They are kept on the weights, as in Keras; nothing in nb3d applies them by itself.

Example:
    >>> import nb3d, numpy as np
    >>> nb3d.constraints.get("non_neg")(np.array([-1.0, 2.0]))
    array([0., 2.])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nb3d import ops
from nb3d.engine.identifiers import Configured, Identifiers
from nb3d.engine.settings import SETTINGS

CONSTRAINTS = Identifiers("constraint")


class Constraint(Configured):
    """Base of the constraints; a subclass defines ``__call__``."""

    def __call__(self, w: Any) -> Any:
        """The projected weights."""
        raise NotImplementedError


@CONSTRAINTS.register_class("nonneg")
class NonNeg(Constraint):
    """Negative weights become 0."""

    def __call__(self, w: Any) -> Any:  # noqa: D102
        return ops.maximum(w, 0.0)


@CONSTRAINTS.register_class()
class MinMaxNorm(Constraint):
    """Moves the norms of weights into an interval.

    Args:
        min_value: The smallest norm.
        max_value: The largest norm.
        rate: Share of the way that is gone: 1 is all of it.
        axis: Axis, or axes, along which norms are taken.
    """

    config_fields: tuple[str, ...] = ("min_value", "max_value", "rate", "axis")

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:  # noqa: D102
        norms = ops.sqrt(ops.sum(ops.square(w), axis=self.axis, keepdims=True))
        wanted = ops.clip(norms, self.min_value, self.max_value)
        if self.rate != 1:
            wanted = self.rate * wanted + (1 - self.rate) * norms
        return w * (wanted / (SETTINGS.epsilon() + norms))


@CONSTRAINTS.register_class()
class MaxNorm(MinMaxNorm):
    """Limits the norms of weights.

    Args:
        max_value: The largest norm.
        axis: Axis, or axes, along which norms are taken.
    """

    config_fields = ("max_value", "axis")

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        super().__init__(max_value=max_value, axis=axis)


@CONSTRAINTS.register_class()
class UnitNorm(MinMaxNorm):
    """Makes the norms of weights 1.

    Args:
        axis: Axis, or axes, along which norms are taken.
    """

    config_fields = ("axis",)

    def __init__(self, axis: Any = 0) -> None:
        super().__init__(min_value=1.0, max_value=1.0, axis=axis)


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm


def get(identifier: Any) -> Any:
    """The constraint that an argument means.

    Args:
        identifier: A name (``'max_norm'``, ``'MaxNorm'``), a config, a class, a callable, or ``None``.

    Raises:
        ValueError: If there is no such constraint.
    """
    return CONSTRAINTS.get(identifier)


def serialize(constraint: Any) -> Any:
    """The constraint as ``{"class_name", "config"}``, or the name of a function."""
    return CONSTRAINTS.serialize(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint that `serialize` wrote down."""
    return CONSTRAINTS.deserialize(config, custom_objects)
