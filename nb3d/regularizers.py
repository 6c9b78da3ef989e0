"""Losses on weights and outputs: callables of a Variable or tensor that return a number, live in the graph.

Example:
    >>> import nb3d, numpy as np
    >>> float(nb3d.regularizers.L2(0.5)(np.array([1.0, 2.0])))
    2.5
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nb3d import ops
from nb3d.engine.identifiers import Configured, Identifiers
from nb3d.engine.settings import SETTINGS

REGULARIZERS = Identifiers("regularizer")


class Regularizer(Configured):
    """Base of the regularizers; a subclass defines ``__call__``."""

    def __call__(self, x: Any) -> Any:
        """The loss."""
        raise NotImplementedError


@REGULARIZERS.register_class("l1_l2")
class L1L2(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x**2)``.

    Args:
        l1: Factor of the absolute values.
        l2: Factor of the squares.

    Raises:
        ValueError: If a factor is negative or not finite.
    """

    config_fields: tuple[str, ...] = ("l1", "l2")

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor(l1, "l1")
        self.l2 = _factor(l2, "l2")

    def __call__(self, x: Any) -> Any:  # noqa: D102
        terms = []
        if self.l1 or not self.l2:
            terms.append(self.l1 * ops.sum(ops.absolute(x)))
        if self.l2:
            terms.append(self.l2 * ops.sum(ops.square(x)))
        return terms[0] if len(terms) == 1 else terms[0] + terms[1]


@REGULARIZERS.register_class()
class L1(L1L2):
    """``l1 * sum(|x|)``.

    Args:
        l1: Factor.
    """

    config_fields = ("l1",)

    def __init__(self, l1: float | None = 0.01) -> None:
        super().__init__(l1=0.01 if l1 is None else l1)


@REGULARIZERS.register_class()
class L2(L1L2):
    """``l2 * sum(x**2)``.

    Args:
        l2: Factor.
    """

    config_fields = ("l2",)

    def __init__(self, l2: float | None = 0.01) -> None:
        super().__init__(l2=0.01 if l2 is None else l2)


@REGULARIZERS.register_class()
class OrthogonalRegularizer(Regularizer):
    """The mean overlap between the rows, or the columns, of a matrix.

    Args:
        factor: Factor.
        mode: ``'rows'`` or ``'columns'``.

    Raises:
        ValueError: If `mode` is neither; when called, if the tensor is no matrix.
    """

    config_fields = ("factor", "mode")

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor(factor, "factor")
        if mode not in ("rows", "columns"):
            raise ValueError(f"The `mode` argument must be 'rows' or 'columns'. Received: {mode!r}")
        self.mode = mode

    def __call__(self, x: Any) -> Any:  # noqa: D102
        if len(x.shape) != 2:
            raise ValueError(f"OrthogonalRegularizer expects a matrix, got shape {tuple(x.shape)}.")
        rows = x if self.mode == "rows" else ops.transpose(x)
        lengths = ops.sqrt(ops.sum(ops.square(rows), axis=1, keepdims=True))
        rows = rows / ops.maximum(lengths, SETTINGS.epsilon())
        count = rows.shape[0]
        overlaps = ops.absolute(ops.matmul(rows, ops.transpose(rows)) * (1.0 - np.eye(count, dtype=x.dtype)))
        return self.factor * 0.5 * ops.sum(overlaps) / (count * (count - 1) / 2)


def l1(l1: float = 0.01) -> L1:
    """A regularizer ``l1 * sum(|x|)``."""
    return L1(l1)


def l2(l2: float = 0.01) -> L2:
    """A regularizer ``l2 * sum(x**2)``."""
    return L2(l2)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """A regularizer ``l1 * sum(|x|) + l2 * sum(x**2)``."""
    return L1L2(l1, l2)


orthogonal_regularizer = OrthogonalRegularizer


def _factor(value: Any, name: str) -> float:
    value = 0.0 if value is None else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not (0 <= value < math.inf):
        raise ValueError(f"The `{name}` argument must be a finite float >= 0. Received: {value!r}")
    return float(value)


def get(identifier: Any) -> Any:
    """The regularizer that an argument means.

    Args:
        identifier: A name (``'l1'``, ``'l2'``, ``'l1_l2'``: all factors 0.01), a config, a class, a callable, ``None``.

    Raises:
        ValueError: If there is no such regularizer.
    """
    return l1_l2() if isinstance(identifier, str) and identifier == "l1_l2" else REGULARIZERS.get(identifier)


def serialize(regularizer: Any) -> Any:
    """The regularizer as ``{"class_name", "config"}``, or the name of a function."""
    return REGULARIZERS.serialize(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer that `serialize` wrote down."""
    return REGULARIZERS.deserialize(config, custom_objects)
