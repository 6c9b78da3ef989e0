"""Operations that NumPy has under the same name, or nearly: one line each."""

from typing import Any

import numpy as np

from nb3d import ops
from tests.ops.cases import PAIR, Case, softmax


def attention(q: Any, k: Any, v: Any, mask: Any = True) -> Any:
    """Dot-product attention of ``(batch, tokens, heads, size)``."""
    scores = np.einsum("btnh,bsnh->bnts", q, k) / np.sqrt(q.shape[-1])
    return np.einsum("bnts,bsnh->btnh", softmax(np.where(mask, scores, -1e9)), v)


def moments(x: Any) -> Any:
    mean, variance = ops.moments(x, [1, 2], keepdims=True)
    return mean + 3 * variance


UNARY = [
    Case(name, getattr(ops, name), getattr(np, name))
    for name in ("tan", "arctan", "sinh", "cosh", "arcsinh", "exp2", "cbrt", "trunc", "round", "floor", "ceil", "copy")
]
UNARY += [Case(name, getattr(ops, name), getattr(np, name), low=0.5) for name in ("log2", "log10", "log1p")]
UNARY += [
    Case("arcsin", lambda x: ops.arcsin(x / 2), lambda x: np.arcsin(x / 2)),
    Case("arccos", lambda x: ops.arccos(x / 2), lambda x: np.arccos(x / 2)),
    Case("arctanh", lambda x: ops.arctanh(x / 3), lambda x: np.arctanh(x / 3)),
    Case("arccosh", lambda x: ops.arccosh(x + 4), lambda x: np.arccosh(x + 4)),
    Case("round to a digit", lambda x: ops.round(x, 1), lambda x: np.round(x, 1)),
    Case("stop_gradient", ops.stop_gradient, lambda x: x),
    Case("convert_to_tensor", ops.convert_to_tensor, lambda x: x),
    Case("nan_to_num", lambda x: ops.nan_to_num(ops.log(x), 5.0, neginf=-3.0), lambda x: np.log(np.abs(x)), low=0.5),
]

BINARY = [Case(name, getattr(ops, name), getattr(np, name), PAIR) for name in ("arctan2", "hypot", "logaddexp")]
BINARY += [
    Case(
        "isclose", lambda x, y: ops.isclose(x, y, 0.5, 0.1), lambda x, y: np.isclose(x, y, 0.5, 0.1), PAIR, dtype="bool"
    ),
    Case("isclose to itself", lambda x: ops.isclose(x, x), lambda x: np.isclose(x, x), dtype="bool"),
    Case("logical_xor", lambda x, y: ops.logical_xor(x > 0, y > 0), lambda x, y: (x > 0) ^ (y > 0), PAIR, dtype="bool"),
    Case(
        "divide_no_nan",
        lambda x, y: ops.divide_no_nan(x, ops.relu(y)),
        lambda x, y: np.where(y > 0, x / np.where(y > 0, y, 1), 0),
        PAIR,
    ),
]

REARRANGING = [
    Case("moveaxis", lambda x: ops.moveaxis(x, 1, -1), lambda x: np.moveaxis(x, 1, -1)),
    Case("moveaxis of two", lambda x: ops.moveaxis(x, [0, 1], [2, 0]), lambda x: np.moveaxis(x, [0, 1], [2, 0])),
    Case("swapaxes", lambda x: ops.swapaxes(x, 1, -1), lambda x: np.swapaxes(x, 1, -1)),
    Case("ravel", ops.ravel, np.ravel),
    Case("flip", lambda x: ops.flip(x, 1), lambda x: np.flip(x, 1)),
    Case("flip of all", ops.flip, np.flip),
    Case("roll", lambda x: ops.roll(x, 2, 1), lambda x: np.roll(x, 2, 1), known=(1,)),
        Case("roll of two", lambda x: ops.roll(x, (1, 7), (1, 2)), lambda x: np.roll(x, (1, 7), (1, 2)), known=(1, 2)),
    Case("repeat", lambda x: ops.repeat(x, 3, 1), lambda x: np.repeat(x, 3, 1)),
    Case("repeat of all", lambda x: ops.repeat(x, 2), lambda x: np.repeat(x, 2)),
    Case("tile", lambda x: ops.tile(x, (1, 2, 3)), lambda x: np.tile(x, (1, 2, 3))),
    Case("tile by one number", lambda x: ops.tile(x, 2), lambda x: np.tile(x, 2)),
    Case("split", lambda x: ops.split(x, 2, 1)[1], lambda x: np.split(x, 2, 1)[1], known=(1,)),
    Case("split at places", lambda x: ops.split(x, [1, 4], -1)[1], lambda x: np.split(x, [1, 4], -1)[1]),
    Case("unstack", lambda x: ops.unstack(x, axis=1)[3], lambda x: x[:, 3], known=(1,)),
    Case("hstack", lambda x, y: ops.hstack([x, y]), lambda x, y: np.hstack([x, y]), PAIR),
    Case("vstack", lambda x, y: ops.vstack([x, y]), lambda x, y: np.vstack([x, y]), PAIR),
    Case("pad", lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 3))), lambda x: np.pad(x, ((0, 0), (1, 2), (0, 3)))),
    Case("pad by a value", lambda x: ops.pad(x, 1, constant_values=2), lambda x: np.pad(x, 1, constant_values=2)),
    Case("pad by reflection", lambda x: ops.pad(x, ((0, 0), (1, 2), (3, 0)), "reflect"),
         lambda x: np.pad(x, ((0, 0), (1, 2), (3, 0)), "reflect")),
    Case("full_like", lambda x: ops.full_like(x, 3), lambda x: np.full_like(x, 3)),
    Case("zeros_like", ops.zeros_like, np.zeros_like),
    Case("ones_like", lambda x: ops.ones_like(x, "int32"), lambda x: np.ones_like(x, "int32"), dtype="int32"),
    Case("tril", ops.tril, np.tril),
    Case("triu", lambda x: ops.triu(x, 1), lambda x: np.triu(x, 1)),
]  # fmt: skip

INDEXING = [
    Case("take", lambda x: ops.take(x, [2, 0, -1], 1), lambda x: np.take(x, [2, 0, -1], 1)),
    Case("take of all", lambda x: ops.take(x, [[2], [0]]), lambda x: np.take(x, [[2], [0]])),
    Case("sort", lambda x: ops.sort(x, 1), lambda x: np.sort(x, 1)),
    Case("argsort", ops.argsort, np.argsort, dtype="int32"),
    Case("take_along_axis", lambda x: ops.take_along_axis(x, ops.argsort(x, 1), 1), lambda x: np.sort(x, 1)),
    Case("top_k", lambda x: ops.top_k(x, 2)[0], lambda x: -np.sort(-x)[..., :2]),
    Case("top_k, places", lambda x: ops.top_k(x, 2)[1], lambda x: np.argsort(-x)[..., :2], dtype="int32"),
    Case("argmax", lambda x: ops.argmax(x, 1, keepdims=True), lambda x: np.argmax(x, 1, keepdims=True), dtype="int32"),
    Case("argmin of all", ops.argmin, np.argmin, dtype="int32"),
    Case("one_hot", lambda x: ops.one_hot(ops.argmax(x, 1), 4, dtype=str(x.dtype)), lambda x: np.eye(4)[x.argmax(1)]),
    Case("one_hot at an axis", lambda x: ops.one_hot(ops.argmax(x, 1), 4, 1, dtype=str(x.dtype)),
         lambda x: np.moveaxis(np.eye(4)[x.argmax(1)], -1, 1)),
]  # fmt: skip

STATISTICS = [
    Case("std", lambda x: ops.std(x, 1), lambda x: np.std(x, 1)),
    Case("ptp", lambda x: ops.ptp(x, (0, 2), True), lambda x: np.ptp(x, (0, 2), keepdims=True)),
    Case("count_nonzero", lambda x: ops.count_nonzero(ops.relu(x), 1), lambda x: np.count_nonzero(x > 0, 1),
         dtype="int32"),
    Case("logsumexp", lambda x: ops.logsumexp(x * 400, 1), lambda x: np.logaddexp.reduce(x * 400, 1)),
    Case("norm", lambda x: ops.norm(x, axis=1, keepdims=True), lambda x: np.linalg.norm(x, axis=1, keepdims=True)),
    Case("norm of all", ops.norm, np.linalg.norm),
    Case("norm of order 3", lambda x: ops.norm(x, 3, -1), lambda x: np.linalg.norm(x, 3, -1)),
    Case("largest norm", lambda x: ops.norm(x, np.inf, -1), lambda x: np.linalg.norm(x, np.inf, -1)),
    Case("normalize", ops.normalize, lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)),
    Case("normalize of order 1", lambda x: ops.normalize(x, 1, 1), lambda x: x / np.abs(x).sum(1, keepdims=True)),
    Case("moments", moments, lambda x: x.mean((1, 2), keepdims=True) + 3 * x.var((1, 2), keepdims=True)),
    Case("cumsum", lambda x: ops.cumsum(x, 1), lambda x: np.cumsum(x, 1)),
    Case("cumsum of all", ops.cumsum, np.cumsum),
    Case("cumprod", lambda x: ops.cumprod(x, -1), lambda x: np.cumprod(x, -1)),
    Case("amax", lambda x: ops.amax(x, 1), lambda x: np.amax(x, 1)),
    Case("average", lambda x: ops.average(x, 1, np.arange(1, 5)), lambda x: np.average(x, 1, np.arange(1.0, 5))),
    Case("average of all", lambda x, y: ops.average(x, weights=y), lambda x, y: np.average(x, weights=y), PAIR,
         low=0.5),
]  # fmt: skip

TOKENS = ((3, 4, 2, 5), (3, 6, 2, 5), (3, 6, 2, 5))
PRODUCTS = [
    Case("matmul with a column", lambda x: ops.matmul(x, np.ones(5, x.dtype)), lambda x: x @ np.ones(5)),
    Case("tensordot", lambda x: ops.tensordot(x, np.ones((4, 5, 2), x.dtype)),
         lambda x: np.tensordot(x, np.ones((4, 5, 2)))),
    Case("dot", lambda x: ops.dot(x, np.ones((2, 5, 3), x.dtype)), lambda x: np.dot(x, np.ones((2, 5, 3)))),
    Case("inner", lambda x: ops.inner(x, np.ones((7, 5), x.dtype)), lambda x: np.inner(x, np.ones((7, 5)))),
    Case("outer", lambda x: ops.outer(x, np.arange(4, dtype=x.dtype)), lambda x: np.outer(x, np.arange(4))),
    Case("einsum", lambda x, y: ops.einsum("abc,adc->adb", x, y), lambda x, y: np.einsum("abc,adc->adb", x, y), PAIR),
    Case("einsum, left first", lambda x, y: ops.einsum("abc,adc->abd", x, y),
         lambda x, y: np.einsum("abc,adc->abd", x, y), PAIR),
    Case("einsum without result", lambda x, y: ops.einsum("aij,ajk", x, y),
         lambda x, y: np.einsum("aij,ajk", x, y), ((3, 4, 5), (3, 5, 2))),
    Case("einsum with an ellipsis", lambda x: ops.einsum("...c,cd->...d", x, np.ones((5, 2), x.dtype)),
         lambda x: np.einsum("...c,cd->...d", x, np.ones((5, 2)))),
    Case("einsum of weights", lambda x: ops.einsum("abc,bcde->ade", x, np.ones((4, 5, 2, 3), x.dtype)),
         lambda x: np.einsum("abc,bcde->ade", x, np.ones((4, 5, 2, 3)))),
    Case("einsum of one", lambda x: ops.einsum("abc->ca", x), lambda x: np.einsum("abc->ca", x)),
    Case("einsum of a diagonal", lambda x: ops.einsum("abb->ab", x), lambda x: np.einsum("abb->ab", x), ((3, 4, 4),)),
    Case("einsum that sums one alone", lambda x, y: ops.einsum("abc,ad->abd", x, y),
         lambda x, y: np.einsum("abc,ad->abd", x, y), ((3, 4, 5), (3, 2))),
    Case("dot_product_attention", ops.dot_product_attention, attention, TOKENS, known=(2, 3)),
    Case("causal attention", lambda q, k, v: ops.dot_product_attention(q, k, v, is_causal=True),
         lambda q, k, v: attention(q, k, v, np.tri(4, 6, dtype=bool)), TOKENS, known=(2, 3)),
    Case("attention with shared keys", lambda q, k: ops.dot_product_attention(q, k, k),
         lambda q, k: attention(q, np.repeat(k, 2, 2), np.repeat(k, 2, 2)), ((3, 4, 4, 5), (3, 6, 2, 5)), known=(2, 3)),
]  # fmt: skip

NUMPY_CASES = UNARY + BINARY + REARRANGING + INDEXING + STATISTICS + PRODUCTS
