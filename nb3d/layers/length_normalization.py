"""`RMSNormalization` and `UnitNormalization`: values divided by their size, and not centered."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import check_axes, check_number, known_sizes
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS


@LAYERS.register()
class RMSNormalization(Layer):
    """``scale * x / sqrt(mean(x ** 2) + epsilon)``, with the mean over some axes.

    Args:
        axis: The axis, or axes, over which the mean is taken; `scale` has a value for every place along them.
        epsilon: Added to the mean.
        **kwargs: Arguments of `Layer`.

    Input shape: any; the sizes of the axes must be known.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d, numpy as np
        >>> nb3d.layers.RMSNormalization()(np.array([[3.0, 4.0]], "float32")).round(3)
        array([[0.849, 1.131]], dtype=float32)

    Source: https://keras.io/api/layers/normalization_layers/rms_normalization/; Zhang and Sennrich, 2019
    """

    config_fields = ("axis", "epsilon")

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = check_axes(axis)
        self.epsilon = check_number(epsilon, "epsilon", 0)
        self.scale: Any = None

    def build(self, input_shape: Dims) -> None:
        sizes = known_sizes(input_shape, self.axis)
        self.scale = self.add_weight(name="scale", shape=tuple(sizes.values()), initializer="ones")
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)

    def call(self, inputs: Any) -> Any:
        return ops.rms_normalization(inputs, self.scale, self.axis, self.epsilon)


@LAYERS.register()
class UnitNormalization(Layer):
    """``x`` divided by its Euclidean norm over some axes; zeros stay zeros.

    A mask is passed on, and changes nothing.

    Args:
        axis: The axis, or axes, of what gets the norm 1.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d, numpy as np
        >>> nb3d.layers.UnitNormalization()(np.array([[3.0, 4.0], [0.0, 0.0]], "float32"))
        array([[0.6, 0.8],
               [0. , 0. ]], dtype=float32)

    Source: https://keras.io/api/layers/normalization_layers/unit_normalization/
    """

    config_fields = ("axis",)
    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = check_axes(axis)

    def call(self, inputs: Any) -> Any:
        return ops.normalize(inputs, self.axis, epsilon=1e-12)
