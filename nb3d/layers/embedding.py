"""`Embedding`: a vector for every integer."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import check_integer
from nb3d.layers.kernel_layer import WeightedLayer, weight_fields
from nb3d.layers.registry import LAYERS


@LAYERS.register()
class Embedding(WeightedLayer):
    """Replaces integers by vectors, those of positions or labels for instance.

    Args:
        input_dim: How many integers there are, from 0 on.
        output_dim: Size of a vector.
        embeddings_initializer: Initial values of the vectors, ``(input_dim, output_dim)``.
        embeddings_regularizer: Loss on the vectors.
        embeddings_constraint: Constraint kept on the vectors.
        mask_zero: Whether 0 stands for nothing and is masked.
        **kwargs: Arguments of `Layer`.

    Input shape: ``(batch, ...)``, integers.

    Output shape: ``(batch, ..., output_dim)``.

    Raises:
        ValueError: If an argument is not as above; when computed, if an integer is out of range.

    Example:
        >>> import nb3d
        >>> nb3d.layers.Embedding(100, 8)(nb3d.Input((27,), dtype="int32")).shape
        (None, 27, 8)

    Source: https://keras.io/api/layers/core_layers/embedding/
    """

    roles = ("embeddings",)
    config_fields = ("input_dim", "output_dim", *weight_fields("embeddings"), "activity_regularizer", "mask_zero")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            **kwargs,
        )
        self.input_dim = check_integer(input_dim, "input_dim")
        self.output_dim = check_integer(output_dim, "output_dim")
        self.mask_zero = bool(mask_zero)
        self.embeddings: Any = None

    def build(self, input_shape: Dims) -> None:
        self.embeddings = self.add_named_weight("embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs: Any) -> Any:
        return ops.take(self.embeddings, ops.cast(inputs, "int32"), axis=0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None
