"""What layers over one to three spatial axes have in common that have no weights."""

from __future__ import annotations

from typing import Any, ClassVar

from nb3d.engine.input_spec import InputSpec
from nb3d.layers.arguments import check_data_format
from nb3d.layers.layer import Layer


class SpatialLayer(Layer):
    """A layer that works on `rank` spatial axes.

    Args:
        data_format: ``'channels_last'`` or ``'channels_first'``; that of ``~/.keras/keras.json`` where absent.
        **kwargs: Arguments of `Layer`.
    """

    rank: ClassVar[int]

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The axes besides batch and channels."""
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))
