"""Products of tensors along chosen axes, and attention, which is two of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from string import ascii_letters
from typing import Any

from nb3d.ops import reductions
from nb3d.ops.activations import softmax, tanh
from nb3d.ops.einsum import einsum
from nb3d.ops.elementwise import greater_equal, logical_and, multiply, where
from nb3d.ops.filling import ones_like, positions
from nb3d.ops.linear import matmul
from nb3d.ops.operation import operation
from nb3d.ops.rearranging import repeat
from nb3d.ops.shapes import normalize_axis
from nb3d.ops.shaping import reshape

_MASKED = -1e9


@operation("Tensordot")
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """The sum of products over axes: the last `axes` of `x1` and the first of `x2`, or two lists of axes."""
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if isinstance(axes, int):
        first, second = list(range(rank1 - axes, rank1)), list(range(axes))
    else:
        first, second = ([*item] if isinstance(item, Iterable) else [item] for item in axes)
    one, other = list(ascii_letters[:rank1]), list(ascii_letters[rank1 : rank1 + rank2])
    first = [normalize_axis(axis, rank1) for axis in first]
    second = [normalize_axis(axis, rank2) for axis in second]
    for a, b in zip(first, second, strict=True):
        other[b] = one[a]
    result = [x for x in one if x not in other] + [x for x in other if x not in one]
    return einsum(f"{''.join(one)},{''.join(other)}->{''.join(result)}", x1, x2)


@operation("Dot")
def dot(x1: Any, x2: Any) -> Any:
    """The product over the last axis of `x1` and the last but one of `x2`, or its only one; of numbers the product."""
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if not rank1 or not rank2:
        return multiply(x1, x2)
    if rank1 <= 2 and rank2 <= 2:
        return matmul(x1, x2)
    return tensordot(x1, x2, [[-1], [-2 if rank2 > 1 else -1]])


@operation("Inner")
def inner(x1: Any, x2: Any) -> Any:
    """The product over the last axes; of numbers the product."""
    return tensordot(x1, x2, [[-1], [-1]]) if len(x1.shape) and len(x2.shape) else multiply(x1, x2)


@operation("Outer")
def outer(x1: Any, x2: Any) -> Any:
    """Every value of `x1` times every value of `x2`, a row for each of the first."""
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


@operation("Average")
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The mean over axes, each value as often as its weight says.

    Args:
        x: Tensor or array.
        axis: An axis, several, or ``None`` for all.
        weights: In the shape of `x`, or one per index along `axis`; all alike where absent.
    """
    if weights is None:
        return reductions.mean(x, axis)
    if len(weights.shape) == 1 and isinstance(axis, int):
        weights = reshape(weights, [-1 if i == normalize_axis(axis, len(x.shape)) else 1 for i in range(len(x.shape))])
    return reductions.sum(multiply(x, weights), axis) / reductions.sum(multiply(ones_like(x), weights), axis)


def masked_scores(scores: Any, mask: Any) -> Any:
    """Scores with a large negative number where `mask` is false, which `softmax` makes 0."""
    return where(mask, scores, _MASKED)


def causal_mask(scores: Any) -> Any:
    """Where position `s` of the last axis comes no later than position `t` of the one before."""
    return greater_equal(positions(scores, -2), positions(scores, -1))


@operation("DotProductAttention")
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """``softmax(scale * query @ key) @ value`` for every head (Vaswani et al., 2017).

    Args:
        query: ``(batch, T, heads, size)``.
        key: ``(batch, S, heads or a divisor of them, size)``.
        value: As `key`.
        bias: Added to the scores, ``(batch, heads, T, S)`` or broadcast to it.
        mask: Where a position may see another, of the same shape.
        scale: Factor of the scores; ``1 / sqrt(size)`` where absent.
        is_causal: Whether no position sees a later one.
        flash_attention: Of no effect.
        attn_logits_soft_cap: Bound of the scores, which ``cap * tanh(scores / cap)`` keeps.

    Returns:
        ``(batch, T, heads, size)``.

    Raises:
        ValueError: If heads and sizes do not fit, or are unknown.

    Source: https://keras.io/api/ops/nn/
    """
    heads, shared = query.shape[2], key.shape[2]
    if None in (heads, shared, query.shape[3]) or heads % shared:
        raise ValueError(
            f"dot_product_attention: the heads of the query must be a multiple of those of the key, and known as their "
            f"size is, got shapes {tuple(query.shape)} and {tuple(key.shape)}"
        )
    if heads != shared:
        key, value = repeat(key, heads // shared, 2), repeat(value, heads // shared, 2)
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = einsum("btnh,bsnh->bnts", query, key) * factor
    if attn_logits_soft_cap is not None:
        scores = tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    scores = scores if bias is None else scores + bias
    if is_causal:
        mask = causal_mask(scores) if mask is None else logical_and(mask, causal_mask(scores))
    scores = scores if mask is None else masked_scores(scores, mask)
    return einsum("bnts,bsnh->btnh", softmax(scores), value)
