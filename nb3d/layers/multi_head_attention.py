"""`MultiHeadAttention`: attention in several projections at once."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from nb3d import ops
from nb3d.engine.tensor import Dims
from nb3d.layers.arguments import check_integer, check_shape
from nb3d.layers.projected_attention import Axes, ProjectedAttention
from nb3d.layers.registry import LAYERS

_HEAD, _SIZE, _VALUE = "NHV"  # heads, and the sizes of a key and a value within one


@LAYERS.register()
class MultiHeadAttention(ProjectedAttention):
    """``softmax(query @ key / sqrt(key_dim)) @ value`` in `num_heads` projections (Vaswani et al., 2017).

    Args:
        num_heads: Number of projections.
        key_dim: Size of a projected query and key.
        value_dim: Size of a projected value; `key_dim` where absent.
        dropout: Share of scores that are dropped in training.
        use_bias: Whether projections have a bias.
        output_shape: Sizes of the result's last axes; the size of the query where absent.
        attention_axes: Axes over which attention is, counted with the batch; all between batch and features where
            absent.
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

    Call arguments: ``query``, ``value``, ``key`` (the value where absent); ``query_mask``, ``value_mask``,
    ``key_mask``, which are the masks that the tensors have where absent; ``attention_mask``, ``(batch, T, S)``;
    ``return_attention_scores``, whether the scores come too; ``use_causal_mask``, whether no query sees a later key.

    Input shape: ``(batch, T, features)``, ``(batch, S, features)``, or with more axes in the place of T and S.

    Output shape: that of the query, but for `output_shape`; the scores are ``(batch, heads, T, S)``.

    Raises:
        ValueError: If an argument is not as above; when called, if the inputs do not fit.

    Example:
        >>> import nb3d
        >>> tokens = nb3d.Input((27, 16))
        >>> nb3d.layers.MultiHeadAttention(num_heads=2, key_dim=8)(tokens, tokens).shape
        (None, 27, 16)

    Source: https://keras.io/api/layers/attention_layers/multi_head_attention/
    """

    config_fields = ("num_heads", "key_dim", "value_dim", "attention_axes", *ProjectedAttention.config_fields)

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
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
        self.num_heads = check_integer(num_heads, "num_heads")
        self.key_dim = check_integer(key_dim, "key_dim")
        self.value_dim = self.key_dim if value_dim is None else check_integer(value_dim, "value_dim")
        sizes = [output_shape] if isinstance(output_shape, int) else output_shape
        self._output_shape = None if not sizes else check_shape(sizes, "output_shape")
        axes = [attention_axes] if isinstance(attention_axes, int) else attention_axes
        self.attention_axes: Axes | None = None
        if axes is not None:
            self.attention_axes = tuple(check_integer(axis, "attention_axes", -99) for axis in axes)
        self._equations = "", ""

    def build(  # type: ignore[override]  # a shape for each of the call's arguments
        self, query_shape: Dims, value_shape: Dims, key_shape: Dims | None = None
    ) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        rank = len(query_shape)
        if len(value_shape) != rank or value_shape[1:-1] != key_shape[1:-1] or rank < 3:
            raise ValueError(
                f"Layer {self.name!r}: query, value and key must have one rank of at least 3, and value and key the "
                f"same sizes but for the last, got shapes {query_shape}, {value_shape}, {key_shape}."
            )
        axes = range(1, rank - 1) if self.attention_axes is None else [axis % rank for axis in self.attention_axes]
        self.attention_axes = tuple(axes)
        letters = ascii_lowercase[: rank - 1]
        out = self._output_shape or (query_shape[-1],)
        made = ascii_lowercase[rank : rank + len(out)]
        into, heads = f"{letters}z,z{_HEAD}{{0}}->{letters}{_HEAD}{{0}}", self.num_heads
        of_keys, of_values = into.format(_SIZE), into.format(_VALUE)
        self.query_dense = self.projection("query", of_keys, (heads, self.key_dim), query_shape)
        self.key_dense = self.projection("key", of_keys, (heads, self.key_dim), key_shape)
        if self.use_gate:
            sizes = (heads, self.value_dim)
            self._gate_dense = self.projection("gate", of_values, sizes, query_shape, "sigmoid")
        self.value_dense = self.projection("value", of_values, (heads, self.value_dim), value_shape)
        result = f"{letters}{_HEAD}{_VALUE},{_HEAD}{_VALUE}{made}->{letters}{made}"
        self.output_dense = self.projection("attention_output", result, out, (*query_shape[:-1], heads, self.value_dim))
        self._equations = _equations(letters, self.attention_axes)

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
        assert self.attention_axes is not None  # it is built
        score, combine = self._equations
        over = len(self.attention_axes)
        projected = self.scaled(self.query_dense(query), self.key_dim)
        scores = ops.einsum(score, projected, self.key_dense(key))
        given = {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask}
        given["attention_mask"] = attention_mask
        allowed = self.allowed(scores, given, use_causal_mask, over)
        # As in Keras, where another routine computes attention that needs nothing but its result.
        nothing = self.dropout > 0 or return_attention_scores or len(query.shape) != 3
        shares, kept = self.weights_of(scores, allowed, over, training, nothing)
        result = ops.einsum(combine, kept, self.value_dense(value))
        if self.use_gate:
            result = ops.multiply(result, self._gate_dense(query))
        result = self.output_dense(result)
        return (result, shares) if return_attention_scores else result

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> Any:
        """The shape of the output for the shape of a query."""
        return (*query_shape[:-1], *(self._output_shape or query_shape[-1:]))

    def get_config(self) -> dict[str, Any]:
        """The arguments from which `from_config` makes the same layer."""
        return {**super().get_config(), "output_shape": self._output_shape}


def _equations(letters: str, attention_axes: Axes) -> tuple[str, str]:
    """The products of queries and keys, and of their scores with the values: keys have axes of their own."""
    own = dict(zip(attention_axes, ascii_lowercase[::-1], strict=False))
    keys = "".join(own.get(axis, letter) for axis, letter in enumerate(letters))
    batch = "".join(letter for axis, letter in enumerate(letters) if axis not in own)
    seen = "".join(letters[axis] for axis in attention_axes) + "".join(own[axis] for axis in attention_axes)
    scores = f"{batch}{_HEAD}{seen}"
    return (
        f"{letters}{_HEAD}{_SIZE},{keys}{_HEAD}{_SIZE}->{scores}",
        f"{scores},{keys}{_HEAD}{_VALUE}->{letters}{_HEAD}{_VALUE}",
    )
