"""`Rescaling`: a linear map of the input's values."""

from __future__ import annotations

from typing import Any

import numpy as np

from nb3d import ops
from nb3d.layers.arguments import check_number
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS


@LAYERS.register()
class Rescaling(Layer):
    """``x * scale + offset``, in the dtype of the layer.

    Args:
        scale: A number, or one per channel (of the last axis).
        offset: A number, or one per channel.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If an argument is no number.

    Example:
        >>> import nb3d, numpy as np
        >>> nb3d.layers.Rescaling(1 / 255)(np.array([0, 255], "uint8"))
        array([0., 1.], dtype=float32)

    Source: https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/
    """

    config_fields = ("scale", "offset")
    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _numbers(scale, "scale")
        self.offset = _numbers(offset, "offset")

    def call(self, inputs: Any) -> Any:
        scale, offset = np.asarray(self.scale, self.dtype), np.asarray(self.offset, self.dtype)
        return ops.cast(inputs, self.dtype) * scale + offset


def _numbers(value: Any, name: str) -> float | list[float]:
    if isinstance(value, list | tuple | np.ndarray):
        return [check_number(item, name) for item in value]
    return check_number(value, name)
