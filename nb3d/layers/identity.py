"""Layers that return their input as it is."""

from __future__ import annotations

from typing import Any

from nb3d import regularizers
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS


@LAYERS.register()
class Identity(Layer):
    """The input itself: a placeholder.

    Args:
        **kwargs: Arguments of `Layer`.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Identity()(nb3d.Input((8, 8, 8, 3))).shape
        (None, 8, 8, 8, 3)

    Source: https://keras.io/api/layers/core_layers/identity/
    """

    supports_masking = True


@LAYERS.register()
class ActivityRegularization(Layer):
    """The input itself; files the loss ``l1 * sum(|x|) + l2 * sum(x**2)`` on it.

    Args:
        l1: Factor of the absolute values.
        l2: Factor of the squares.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If a factor is negative.

    Example:
        >>> import nb3d
        >>> layer = nb3d.layers.ActivityRegularization(l2=0.1)
        >>> y = layer(nb3d.Input((4,)))
        >>> len(layer.losses)
        1

    Source: https://keras.io/api/layers/regularization_layers/activity_regularization/
    """

    config_fields = ("l1", "l2")
    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2

    def get_config(self) -> dict[str, Any]:
        """The arguments; the regularizer is made of them."""
        config = super().get_config()
        del config["activity_regularizer"]
        return config
