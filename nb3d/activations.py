"""Activation functions by name: ``nb3d.activations.get("relu")``.

The functions are those of `nb3d.ops`, so they compute on arrays and record on symbolic tensors.

Example:
    >>> import nb3d, numpy as np
    >>> nb3d.activations.get("relu")(np.array([-1.0, 2.0]))
    array([0., 2.])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nb3d.engine.identifiers import Identifiers
from nb3d.ops import activations as _ops
from nb3d.ops.activations import (
    celu,
    elu,
    exponential,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)

ACTIVATIONS = Identifiers("activation")

Activation = Callable[[Any], Any]


def linear(x: Any) -> Any:
    """`x` itself."""
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """`x` above `threshold` (at most `max_value`), ``negative_slope * (x - threshold)`` elsewhere.

    Args:
        x: Tensor or array.
        negative_slope: Slope below the threshold.
        max_value: The largest value; none where absent.
        threshold: Where the activation begins.
    """
    return _ops.thresholded_relu(x, negative_slope, max_value, threshold)


def gelu(x: Any, approximate: bool = False) -> Any:
    """``x * Phi(x)`` with the normal distribution's Phi.

    Args:
        x: Tensor or array.
        approximate: Whether Phi is taken for its tanh approximation.
    """
    return _ops.gelu(x, approximate)


swish = silu
hard_swish = hard_silu

for _function in (
    celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear, log_sigmoid,
    log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign, sparse_plus,
    sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink, threshold,
):  # fmt: skip
    ACTIVATIONS.register()(_function)
ACTIVATIONS.register("swish")(silu)
ACTIVATIONS.register("hard_swish")(hard_silu)


def get(identifier: Any) -> Activation:
    """The activation function that an argument means.

    Args:
        identifier: A name, a ``{"class_name", "config"}`` dictionary, a callable (a layer such as `LeakyReLU` among
            them), or ``None`` for the linear one.

    Raises:
        ValueError: If there is no such activation.
    """
    found: Activation | None = ACTIVATIONS.get(identifier)
    return linear if found is None else found


def serialize(activation: Activation) -> Any:
    """The activation's name, or ``{"class_name", "config"}`` of a layer that serves as one."""
    return ACTIVATIONS.serialize(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Activation:
    """The activation that `serialize` wrote down; arguments as for `get`."""
    activation: Activation = ACTIVATIONS.deserialize(config, custom_objects)
    return activation
