"""`GroupQueryAttention`: attention in which several heads of queries share one of keys and values."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import check_integer
from nb3d.layers.projected_attention import ProjectedAttention
from nb3d.layers.registry import LAYERS


@LAYERS.register("GroupedQueryAttention")  # the name of Keras' class, which it exports under another
class GroupQueryAttention(ProjectedAttention):
    """Multi-head attention with fewer heads of keys and values than of queries (Ainslie et al., 2023).

    Args:
        head_dim: Size of a head.
        num_query_heads: Heads of queries.
        num_key_value_heads: Heads of keys and values, which divide those of the queries.
        dropout: Share of scores that are dropped in training.
        use_bias: Whether projections have a bias.
        sliding_window: How near a key must be for a query to see it; any distance where absent.
        flash_attention: Of no effect.
        kernel_initializer: Initial values of the projections.
        bias_initializer: Initial values of their biases.
        kernel_regularizer: Loss on the projections.
        bias_regularizer: Loss on the biases.
        activity_regularizer: Loss on what is projected.
        kernel_constraint: Constraint kept on the projections.
        bias_constraint: Constraint kept on the biases.
        use_gate: Whether results are multiplied with a projection of the query, between 0 and 1.
        seed: Integer for reproducible dropout.
        **kwargs: Arguments of `Layer`.

    Call arguments: as for `MultiHeadAttention`.

    Input shape: ``(batch, T, features)``, ``(batch, S, features)``.

    Output shape: that of the query; the scores are ``(batch, heads, T, S)``.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> tokens = nb3d.Input((27, 16))
        >>> nb3d.layers.GroupQueryAttention(8, 4, 2)(tokens, tokens).shape
        (None, 27, 16)

    Source: https://keras.io/api/layers/attention_layers/group_query_attention/
    """

    config_fields = ("head_dim", "num_query_heads", "num_key_value_heads", *ProjectedAttention.config_fields)

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            use_gate=use_gate,
            seed=seed,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.head_dim = check_integer(head_dim, "head_dim")
        self.num_query_heads = check_integer(num_query_heads, "num_query_heads")
        self.num_key_value_heads = check_integer(num_key_value_heads, "num_key_value_heads")
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                "`num_query_heads` must be a multiple of `num_key_value_heads`. "
                f"Received: {self.num_query_heads} and {self.num_key_value_heads}"
            )

    def build(  # type: ignore[override]  # a shape for each of the call's arguments
        self, query_shape: Dims, value_shape: Dims, key_shape: Dims | None = None
    ) -> None:
        queries, keys = (self.num_query_heads, self.head_dim), (self.num_key_value_heads, self.head_dim)
        into, features = "btm,mnh->btnh", query_shape[-1]
        self._query_dense = self.projection("query", into, queries, query_shape)
        self._key_dense = self.projection("key", into, keys, value_shape if key_shape is None else key_shape)
        if self.use_gate:
            self._gate_dense = self.projection("gate", into, queries, query_shape, "sigmoid")
        self._value_dense = self.projection("value", into, keys, value_shape)
        shape = (*query_shape[:2], *queries)
        self._output_dense = self.projection("attention_output", "btnh,nhm->btm", (features,), shape)

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        query, value, key = map(self.unmasked, (query, value, value if key is None else key))
        shared = self.num_query_heads // self.num_key_value_heads
        projected = self.scaled(self._query_dense(query), self.head_dim)
        keys = ops.repeat(self._key_dense(key), shared, axis=2)
        scores = ops.einsum("btnh,bsnh->bnts", projected, keys)
        given = {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask}
        given["attention_mask"] = attention_mask
        allowed = self.allowed(scores, given, use_causal_mask, over=1)
        nothing = self.dropout > 0 or return_attention_scores  # as in Keras; see `MultiHeadAttention`
        shares, kept = self.weights_of(scores, allowed, 1, training, nothing)
        result = ops.einsum("bnts,bsnh->btnh", kept, ops.repeat(self._value_dense(value), shared, axis=2))
        if self.use_gate:
            result = ops.multiply(result, self._gate_dense(query))
        result = self._output_dense(result)
        return (result, shares) if return_attention_scores else result

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> Any:
        """The shape of the output for the shape of a query."""
        return tuple(query_shape)
