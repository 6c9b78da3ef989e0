"""`Masking`: marks what is to be passed over."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.layers.arguments import check_number
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS


@LAYERS.register()
class Masking(Layer):
    """Masks the places where all channels have one value, and sets them to 0.

    Args:
        mask_value: The value.
        **kwargs: Arguments of `Layer`.

    Example:
        >>> import nb3d, numpy as np
        >>> nb3d.layers.Masking(mask_value=2.0)(np.array([[[2.0, 2.0], [2.0, 1.0]]], "float32"))
        array([[[0., 0.], [2., 1.]]], dtype=float32)

    Source: https://keras.io/api/layers/core_layers/masking/
    """

    config_fields = ("mask_value",)
    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = check_number(mask_value, "mask_value")

    def call(self, inputs: Any) -> Any:
        return ops.where(self._kept(inputs, keepdims=True), inputs, 0.0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self._kept(inputs, keepdims=False)

    def _kept(self, inputs: Any, keepdims: bool) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=keepdims)
