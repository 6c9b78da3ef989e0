"""`Input`: where a graph begins."""

from __future__ import annotations

from typing import Any

from nb3d.engine.dtypes import dtype_name
from nb3d.engine.node import Node
from nb3d.engine.opgraph import alias
from nb3d.engine.settings import SETTINGS
from nb3d.engine.tensor import Dims, KerasTensor, is_keras_tensor
from nb3d.layers.arguments import check_integer, check_shape
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS


@LAYERS.register()
class InputLayer(Layer):
    """The layer behind `Input`: it has one node, whose input and output are the tensor itself.

    Args:
        shape: Sizes without the batch; ``None`` where free.
        batch_size: Size of the batch; free where absent.
        dtype: Name of the dtype; the default float type where absent.
        sparse: Must be false.
        batch_shape: Sizes with the batch, instead of `shape`.
        input_tensor: A symbolic tensor to begin at, instead of a shape.
        name: Name of the layer.
        batch_input_shape: The older name of `batch_shape`.
        trainable: Of no effect.

    Raises:
        ValueError: If the shape is missing, given twice or no shape, or the dtype unknown.

    Source: https://keras.io/api/layers/core_layers/input/
    """

    config_fields = ("sparse",)

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        name: str | None = None,
        batch_input_shape: Any = None,
        trainable: bool = True,
    ) -> None:
        whole = batch_shape if batch_shape is not None else batch_input_shape
        sizes = _batch_shape(shape, batch_size, whole, input_tensor)
        dtype = dtype if dtype is not None else SETTINGS.floatx() if input_tensor is None else input_tensor.dtype
        super().__init__(trainable=trainable, name=name, dtype=dtype, batch_input_shape=sizes)
        if input_tensor is None:
            tensor = KerasTensor(sizes, self.dtype, sparse=bool(sparse), name=self.name)
        elif input_tensor.dtype != self.dtype:
            raise ValueError(f"The `tensor` argument has dtype {input_tensor.dtype}, not dtype={dtype!r}.")
        elif input_tensor.producer is not None or is_keras_tensor(input_tensor):
            tensor = alias(input_tensor, self.name)  # the tensor keeps the history that it has
        else:
            tensor = input_tensor
        self.sparse = False
        self.built = True
        Node(self, [tensor], [tensor], connected=False)

    @property
    def batch_shape(self) -> Dims:
        """The sizes, batch first."""
        assert self._batch_input_shape is not None
        return self._batch_input_shape


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool = False,
    tensor: KerasTensor | None = None,
    batch_shape: Any = None,
    **kwargs: Any,
) -> KerasTensor:
    """A symbolic tensor to build a network from.

    Args:
        shape: Sizes without the batch, as ``(depth, height, width, channels)``; ``None`` where free.
        batch_size: Size of the batch; free where absent.
        name: Name of the input.
        dtype: Name of the dtype; the default float type where absent.
        sparse: Must be false.
        tensor: A symbolic tensor to begin at, instead of a shape.
        batch_shape: Sizes with the batch, instead of `shape`.
        **kwargs: `batch_input_shape`, the older name of `batch_shape`.

    Returns:
        A `KerasTensor`.

    Raises:
        ValueError: If the shape is missing, given twice or no shape; for an unknown dtype or keyword.

    Example:
        >>> import nb3d
        >>> nb3d.Input((None, None, None, 1), name="scan")
        <KerasTensor shape=(None, None, None, None, 1), dtype=float32, name=scan>

    Source: https://keras.io/api/layers/core_layers/input/
    """
    if batch_shape is None:
        batch_shape = kwargs.pop("batch_input_shape", None)
    for keyword in kwargs:
        raise ValueError(f"Input got an unrecognized keyword argument: {keyword!r}.")
    layer = InputLayer(shape, batch_size, dtype and dtype_name(dtype), sparse, batch_shape, tensor, name)
    return layer._inbound_nodes[0].output_tensors[0]


def _batch_shape(shape: Any, batch_size: Any, batch_shape: Any, tensor: Any) -> Dims:
    """The sizes, batch first, that the arguments agree on."""
    if shape is not None and batch_shape is not None:
        raise ValueError("Input takes either `shape` or `batch_shape`, not both.")
    if batch_size is not None and batch_shape is not None:
        raise ValueError("Input takes either `batch_size` or `batch_shape`, not both.")
    sizes: Dims | None = None
    if batch_shape is not None:
        sizes = check_shape(batch_shape, "batch_shape")
    elif shape is not None:
        sizes = (None if batch_size is None else check_integer(batch_size, "batch_size"), *check_shape(shape, "shape"))
    if tensor is None:
        if sizes is None:
            raise ValueError("Input needs a `shape` (or a `batch_shape`, or a `tensor`).")
        return sizes
    if not isinstance(tensor, KerasTensor):
        raise ValueError(f"The `tensor` argument must be a symbolic tensor, got a {type(tensor).__name__}.")
    if sizes is not None and sizes != tensor.shape:
        raise ValueError(f"The `tensor` argument has shape {tensor.shape}, but shape {sizes} was asked for.")
    return tensor.shape
