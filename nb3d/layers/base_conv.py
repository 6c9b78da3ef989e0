"""What a convolution and a transposed one have in common: the window, the channels, the order of the operations."""

from __future__ import annotations

from typing import Any

from nb3d.engine.input_spec import InputSpec
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import channel_axis, check_data_format, check_integer
from nb3d.layers.kernel_layer import KernelLayer
from nb3d.ops.convolution import check_padding, in_channels_last
from nb3d.ops.shapes import triple


class BaseConv(KernelLayer):
    """A layer whose kernel moves over a volume.

    Its arguments are explained in `nb3d.layers.Conv3D`.
    """

    config_fields: tuple[str, ...] = (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        *KernelLayer.config_fields,
    )

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        *,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = check_integer(filters, "filters")
        self.kernel_size = triple(kernel_size, "kernel_size")
        self.strides = triple(strides, "strides")
        self.padding = check_padding(padding)
        self.data_format = check_data_format(data_format)
        self.dilation_rate = triple(dilation_rate, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"Layer {self.name!r}: `strides` > 1 are incompatible with `dilation_rate` > 1. "
                f"Received: strides={self.strides}, dilation_rate={self.dilation_rate}"
            )
        self.input_spec = InputSpec(ndim=5)

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        """The sizes of the kernel for a number of input channels."""
        raise NotImplementedError

    def convolve(self, volume: Any) -> Any:
        """The kernel moved over a channels-last volume."""
        raise NotImplementedError

    def build(self, input_shape: Dims) -> None:
        axis = channel_axis(self.data_format)
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"Layer {self.name!r}: the channel dimension of the input must be known, got shape "
                f"{tuple(input_shape)} with data_format={self.data_format!r}."
            )
        self.add_kernel_and_bias(self.kernel_shape(channels), self.filters)
        self.input_spec = InputSpec(ndim=5, axes={axis: channels})

    def call(self, inputs: Any) -> Any:
        return self.activation(in_channels_last(self._with_bias, inputs, self.data_format))

    def _with_bias(self, volume: Any) -> Any:
        return self.add_bias(self.convolve(volume))
