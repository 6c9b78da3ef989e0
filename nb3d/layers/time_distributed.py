"""`Wrapper`: a layer around another; `TimeDistributed`: the other applied to every step of time."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.call_arguments import parameters
from nb3d.engine.layer import BaseLayer
from nb3d.engine.tensor import Dims
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS
from nb3d.layers.serialization import deserialize
from nb3d.ops.shaping import merge_axes, unfold_batch


@LAYERS.register()
class Wrapper(Layer):
    """A layer around another one: the base of such layers, of no use by itself.

    Args:
        layer: The layer inside, or its configuration.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If `layer` is no layer.

    Source: https://keras.io/api/layers/core_layers/wrapper/
    """

    config_fields: tuple[str, ...] = ("layer",)

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        inner = deserialize(layer) if isinstance(layer, dict) else layer
        if not isinstance(inner, BaseLayer):
            raise ValueError(f"The `layer` argument must be a layer. Received: {layer!r}")
        self.layer = inner

    def build(self, input_shape: Dims) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)


@LAYERS.register()
class TimeDistributed(Wrapper):
    """Applies one layer, with the same weights, to every step of time.

    Steps are samples to the layer inside: time becomes part of the batch.

    Args:
        layer: The layer inside.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, time, ...)``.

    Output shape: ``(batch, time, ...)`` with what the layer makes of the rest.

    Raises:
        ValueError: If `layer` is no layer; when called, if the input has fewer than three axes, or, in training, an
            unknown number of steps.

    Example:
        >>> import nb3d
        >>> video = nb3d.Input((10, 32, 32, 3))
        >>> nb3d.layers.TimeDistributed(nb3d.layers.Conv2D(4, 3))(video).shape
        (None, 10, 30, 30, 4)

    Source: https://keras.io/api/layers/recurrent_layers/time_distributed/
    """

    supports_masking = True

    def build(self, input_shape: Dims) -> None:
        if len(input_shape) < 3:
            raise ValueError(f"expected an input of at least 3 axes, got shape {tuple(input_shape)}.")
        super().build((None, *input_shape[2:]))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if training:  # statistics and noise of every step are its own
            steps = ops.unstack(inputs, axis=1)
            masks = [None] * len(steps) if mask is None else ops.unstack(mask, axis=1)
            return ops.stack([self._inner(*step) for step in zip(steps, masks, strict=True)], axis=1)
        merged = None if mask is None else merge_axes(mask, 0, 2)
        return unfold_batch(self._inner(merge_axes(inputs, 0, 2), merged), inputs)

    def _inner(self, x: Any, mask: Any) -> Any:
        takes_mask = mask is not None and "mask" in parameters(type(self.layer).call)
        return self.layer(x, mask=mask) if takes_mask else self.layer(x)
