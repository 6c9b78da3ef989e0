"""What layers whose kernel moves over space have in common: the window, the channels, the order of the operations."""

from __future__ import annotations

from typing import Any, ClassVar

from nb3d.engine.input_spec import InputSpec
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import channel_axis, check_data_format
from nb3d.layers.kernel_layer import KernelLayer
from nb3d.ops.convolution import PADDINGS, check_padding
from nb3d.ops.shapes import integers
from nb3d.ops.volumes import in_volume

WINDOW_FIELDS = ("kernel_size", "strides", "padding", "data_format", "dilation_rate")


class BaseConv(KernelLayer):
    """A layer whose kernel moves over `rank` spatial axes.

    Its arguments are explained in `nb3d.layers.Conv3D`.
    """

    rank: ClassVar[int]
    paddings: ClassVar[tuple[str, ...]] = PADDINGS
    config_fields: tuple[str, ...] = (*WINDOW_FIELDS, *KernelLayer.config_fields)

    def __init__(
        self,
        kernel_size: Any,
        *,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = integers(kernel_size, "kernel_size", self.rank)
        self.strides = integers(strides, "strides", self.rank)
        self.padding = check_padding(padding, self.paddings)
        self.data_format = check_data_format(data_format)
        self.dilation_rate = integers(dilation_rate, "dilation_rate", self.rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"Layer {self.name!r}: `strides` > 1 are incompatible with `dilation_rate` > 1. "
                f"Received: strides={self.strides}, dilation_rate={self.dilation_rate}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def add_weights(self, channels: int) -> None:
        """Makes the weights for a number of input channels."""
        raise NotImplementedError

    def convolve(self, volume: Any) -> Any:
        """The kernel moved over a channels-last volume, with unit axes where the layer has fewer than three."""
        raise NotImplementedError

    def build(self, input_shape: Dims) -> None:
        axis = channel_axis(self.data_format)
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"Layer {self.name!r}: the channel dimension of the input must be known, got shape "
                f"{tuple(input_shape)} with data_format={self.data_format!r}."
            )
        self.add_weights(channels)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})

    def call(self, inputs: Any) -> Any:
        return self.activation(in_volume(self._with_bias, inputs, self.data_format))

    def _with_bias(self, volume: Any) -> Any:
        return self.add_bias(self.convolve(volume))
