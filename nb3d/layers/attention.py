"""`Attention` and `AdditiveAttention`: values weighted by how well their keys fit a query; no projections."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.layers.arguments import check_integer, check_number
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS
from nb3d.ops.products import causal_mask
from nb3d.ops.random import SeedGenerator

_MASKED = 1e9  # what a masked score is lowered by, as in Keras


@LAYERS.register()
class Attention(Layer):
    """``softmax(query @ key) @ value`` (Luong et al., 2015), called on ``[query, value]`` or ``[query, value, key]``.

    Args:
        use_scale: Whether scores have a factor that is learned.
        score_mode: ``'dot'``, or ``'concat'`` for ``sum(tanh(query + key))`` with a learned factor.
        dropout: Share of scores that are dropped in training.
        seed: Integer for reproducible dropout.
        **kwargs: Arguments of `Layer`.

    Call arguments: the list of inputs; ``mask``, a list of masks of query and value; ``return_attention_scores``,
    whether the scores come too; ``use_causal_mask``, whether no position sees a later one.

    Input shape: ``(batch, T, size)``, ``(batch, S, values)``, ``(batch, S, size)``.

    Output shape: ``(batch, T, values)``; the scores are ``(batch, T, S)``.

    Raises:
        ValueError: If an argument is not as above; when called, if there are not two or three inputs.

    Example:
        >>> import nb3d
        >>> query, value = nb3d.Input((5, 8)), nb3d.Input((7, 8))
        >>> nb3d.layers.Attention()([query, value]).shape
        (None, 5, 8)

    Source: https://keras.io/api/layers/attention_layers/attention/
    """

    config_fields: tuple[str, ...] = ("use_scale", "score_mode", "dropout", "seed")
    supports_masking = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"The `score_mode` argument must be 'dot' or 'concat'. Received: {score_mode!r}")
        self.use_scale, self.score_mode = bool(use_scale), score_mode
        self.dropout = check_number(dropout, "dropout", 0, 1)
        self.seed = None if seed is None else check_integer(seed, "seed", minimum=0)
        self.seed_generator = SeedGenerator(self.seed)
        self.scale: Any = None
        self.concat_score_weight: Any = None

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(name="concat_score_weight", shape=(), initializer="ones")

    def _check(self, inputs: Any) -> None:
        if not isinstance(inputs, list | tuple) or len(inputs) not in (2, 3):
            raise ValueError(
                f"Layer {self.name!r} must be called on a list [query, value] or [query, value, key], "
                f"got {inputs!r:.200}."
            )

    def scores(self, query: Any, key: Any) -> Any:
        """How well every key fits every query."""
        if self.score_mode == "dot":
            product = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return product if self.scale is None else product * self.scale
        total = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        total = total if self.scale is None else total * self.scale
        return ops.sum(ops.tanh(total), axis=-1) * self.concat_score_weight

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check(inputs)
        query, value, key = (*inputs, inputs[1])[:3]
        query_mask, value_mask = (None, None) if mask is None else mask[:2]
        scores = self.scores(query, key)
        seen = None if value_mask is None else ops.expand_dims(value_mask, -2)
        if use_causal_mask:
            seen = causal_mask(scores) if seen is None else ops.logical_and(causal_mask(scores), seen)
        if seen is not None:
            scores = ops.where(seen, scores, scores - _MASKED)
        weights = ops.softmax(scores)
        if training and self.dropout > 0:
            weights = ops.dropout(weights, self.dropout, None, self.seed_generator)
        result = ops.matmul(weights, value)
        if query_mask is not None:
            result = ops.where(ops.expand_dims(query_mask, -1), result, 0.0)
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None if mask is None else mask[0]


@LAYERS.register()
class AdditiveAttention(Attention):
    """`Attention` with the scores ``sum(scale * tanh(query + key))`` (Bahdanau et al., 2014).

    Args:
        use_scale: Whether there is a factor per channel that is learned.
        dropout: Share of scores that are dropped in training.
        **kwargs: ``seed``, and arguments of `Layer`.

    Input shape: ``(batch, T, size)``, ``(batch, S, size)``, and ``(batch, S, size)`` again for keys of their own.

    Output shape: ``(batch, T, size)``.

    Example:
        >>> import nb3d
        >>> query, value = nb3d.Input((5, 8)), nb3d.Input((7, 8))
        >>> nb3d.layers.AdditiveAttention()([query, value]).shape
        (None, 5, 8)

    Source: https://keras.io/api/layers/attention_layers/additive_attention/
    """

    config_fields = ("use_scale", "dropout", "seed")

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(input_shape[0][-1],), initializer="glorot_uniform")

    def scores(self, query: Any, key: Any) -> Any:
        total = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(total if self.scale is None else total * self.scale, axis=-1)
