"""What attention with projections has in common: its arguments, its projections, its masks."""

from __future__ import annotations

import math
from typing import Any

from nb3d import ops
from nb3d.layers.arguments import check_integer, check_number
from nb3d.layers.einsum_dense import EinsumDense
from nb3d.layers.kernel_layer import WeightedLayer, weight_fields
from nb3d.ops.filling import positions
from nb3d.ops.products import causal_mask, masked_scores
from nb3d.ops.random import SeedGenerator

Axes = tuple[int, ...]


class ProjectedAttention(WeightedLayer):
    """Attention whose queries, keys, values and results are projected by dense layers.

    Its arguments are explained in `nb3d.layers.MultiHeadAttention`.
    """

    roles = ("kernel", "bias")
    config_fields: tuple[str, ...] = (
        "dropout",
        "use_bias",
        "use_gate",
        "sliding_window",
        *weight_fields("kernel", "bias"),
        "activity_regularizer",
        "seed",
    )
    supports_masking = True

    def __init__(
        self, *, dropout: float, use_bias: bool, sliding_window: int | None, use_gate: bool, seed: Any, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dropout = check_number(dropout, "dropout", 0, 1)
        self.use_bias, self.use_gate = bool(use_bias), bool(use_gate)
        self.sliding_window = None if sliding_window is None else check_integer(sliding_window, "sliding_window")
        self.seed = None if seed is None else check_integer(seed, "seed", minimum=0)
        self.seed_generator = SeedGenerator(self.seed)

    def projection(self, name: str, equation: str, sizes: Any, shape: Any, activation: Any = None) -> EinsumDense:
        """A built dense layer for inputs of `shape`; its bias has all axes that are made anew."""
        kernel, _, result = equation.partition(",")[2].partition("->")
        features = "".join(letter for letter in result if letter in kernel)
        layer = EinsumDense(
            equation,
            (*[None] * (len(result) - 1 - len(sizes)), *sizes),
            activation,
            features if self.use_bias else None,
            name=name,
            dtype=self.dtype,
            activity_regularizer=self.activity_regularizer,
            **{field: getattr(self, field) for field in weight_fields("kernel", "bias")},
        )
        layer.build(shape)
        return layer

    def allowed(self, scores: Any, given: dict[str, Any], use_causal_mask: bool, over: int) -> Any:
        """Where a query may see a key, all masks together, broadcast to the scores; ``None`` for everywhere.

        Args:
            scores: ``(batch, ..., heads, queries, keys)``, with `over` axes of queries and as many of keys.
            given: The masks of query, value and key, and ``attention_mask``, or ``None`` each.
            use_causal_mask: Whether no query sees a later key.
            over: Over how many axes attention is.

        Raises:
            ValueError: If positions are asked for, and attention is over several axes.
        """
        masks = []
        if given["query_mask"] is not None:
            masks.append(ops.expand_dims(given["query_mask"], -1))
        masks += [ops.expand_dims(given[name], -2) for name in ("value_mask", "key_mask") if given[name] is not None]
        if given["attention_mask"] is not None:
            masks.append(given["attention_mask"])
        masks = [self._spread(ops.cast(mask, "bool"), scores, over) for mask in masks]
        if over > 1 and (use_causal_mask or self.sliding_window is not None):
            raise ValueError(f"Layer {self.name!r}: causal masks and windows need attention over one axis, not {over}.")
        if use_causal_mask:
            masks.append(causal_mask(scores))
        if self.sliding_window is not None:
            distance = ops.absolute(positions(scores, -2) - positions(scores, -1))
            masks.append(ops.less(distance, self.sliding_window))
        allowed = masks[0] if masks else None
        for mask in masks[1:]:
            allowed = ops.logical_and(allowed, mask)
        return allowed

    @staticmethod
    def _spread(mask: Any, scores: Any, over: int) -> Any:
        """A mask of queries and keys with the axes of the heads."""
        while len(mask.shape) < len(scores.shape):
            mask = ops.expand_dims(mask, len(mask.shape) - 2 * over if len(mask.shape) >= 2 * over else 0)
        return mask

    def weights_of(self, scores: Any, allowed: Any, over: int, training: bool | None, nothing: bool) -> tuple[Any, Any]:
        """The scores as shares, and what dropout leaves of them in training.

        Args:
            scores: ``(batch, ..., heads, queries, keys)``.
            allowed: Where a query may see a key.
            over: Over how many axes attention is.
            training: Whether there is dropout.
            nothing: Whether a query that sees no key at all takes nothing; it takes the mean of all otherwise.
        """
        axes = list(range(-over, 0))
        if allowed is None:
            shares = ops.softmax(scores, axes)
        else:
            shares = ops.softmax(masked_scores(scores, allowed), axes)
            shares = ops.where(allowed, shares, 0.0) if nothing else shares
        if not training or self.dropout == 0:
            return shares, shares
        return shares, ops.dropout(shares, self.dropout, None, self.seed_generator)

    @staticmethod
    def unmasked(x: Any) -> Any:
        """A tensor without its mask, which this layer sees to itself."""
        return x if getattr(x, "_keras_mask", None) is None else ops.copy(x)

    @staticmethod
    def scaled(query: Any, size: int) -> Any:
        """Queries so that scores keep their variance, whatever the size of a head."""
        return query * (1 / math.sqrt(size))
