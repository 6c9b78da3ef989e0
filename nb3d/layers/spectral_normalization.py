"""`SpectralNormalization`: a layer whose kernel training kept at a spectral norm of one."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.tensor import Dims
from nb3d.initializers import TruncatedNormal
from nb3d.layers.arguments import check_integer
from nb3d.layers.registry import LAYERS
from nb3d.layers.time_distributed import Wrapper


@LAYERS.register("Addons>SpectralNormalization")
class SpectralNormalization(Wrapper):
    """The layer inside, with the kernel that training has normalized; files hold that kernel.

    Args:
        layer: The layer inside: one with a `kernel`, or with `embeddings`.
        power_iterations: How often training refined its estimate of the norm at every step.
        **kwargs: Arguments of `Layer`.

    Input shape: that of the layer inside.

    Output shape: that of the layer inside; the dtype is that of the input.

    Raises:
        ValueError: If `layer` is no layer, or has no kernel; when called with ``training=True``.

    Example:
        >>> import nb3d
        >>> conv = nb3d.layers.Conv3D(4, 3)
        >>> nb3d.layers.SpectralNormalization(conv)(nb3d.Input((8, 8, 8, 2))).shape
        (None, 6, 6, 6, 4)

    Source: https://keras.io/api/layers/normalization_layers/spectral_normalization/; Miyato et al., 2018
    """

    config_fields: tuple[str, ...] = ("layer", "power_iterations")

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = check_integer(power_iterations, "power_iterations")
        self.vector_u: Any = None

    def build(self, input_shape: Dims) -> None:
        super().build(input_shape)
        kernel = getattr(self.layer, "kernel", None)
        kernel = getattr(self.layer, "embeddings", None) if kernel is None else kernel
        if kernel is None:
            raise ValueError(f"expected a layer with a `kernel` or `embeddings` inside, got {self.layer!r}.")
        self._file_weight(kernel, trainable=True)  # Keras counts it as a weight of both layers
        self.vector_u = self.add_weight(  # where training begins its next estimate: of no use here, but in every file
            name="vector_u",
            shape=(1, kernel.shape[-1]),
            dtype=kernel.dtype,
            initializer=TruncatedNormal(stddev=0.02),
            trainable=False,
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if training:
            raise ValueError("kernels are normalized in training only, which nb3d does not do: leave training out.")
        return ops.cast(self.layer(inputs), inputs.dtype)
