"""One table of operations, each beside the NumPy expression that says what it computes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nb3d import ops

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One use of an operation.

    Args:
        name: What is tested, for the test's name.
        apply: The expression in nb3d.
        expected: The same expression in NumPy.
        shapes: Shapes of the operands; the first axis is the batch.
        low: The lowest value of the operands.
        dtype: Of the result; None if it is that of the operands.
        known: Axes whose size the operation must know.
    """

    name: str
    apply: Callable[..., Any]
    expected: Callable[..., Any]
    shapes: tuple[Shape, ...] = ((3, 4, 5),)
    low: float = -2.0
    dtype: str | None = None
    known: tuple[int, ...] = ()

    def operands(self, dtype: str, batch: int | None = None) -> list[np.ndarray]:
        """Arrays of the case's shapes, with another batch size if one is given."""
        random = np.random.default_rng(len(self.name))
        shapes = [shape if batch is None else (batch, *shape[1:]) for shape in self.shapes]
        return [random.uniform(self.low, 2.0, shape).astype(dtype) for shape in shapes]


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def normal(x: np.ndarray, axes: Any) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-3)


def grouped(x: np.ndarray, groups: int) -> np.ndarray:
    return normal(x.reshape(*x.shape[:-1], groups, -1), (1, 3)).reshape(x.shape)


PAIR: tuple[Shape, ...] = ((3, 4, 5), (3, 4, 5))
BROADCAST: tuple[Shape, ...] = ((3, 4, 5), (3, 1, 5))

ELEMENTWISE = [
    Case("abs", ops.abs, np.abs),
    Case("absolute", ops.absolute, np.absolute),
    Case("negative", ops.negative, np.negative),
    Case("exp", ops.exp, np.exp),
    Case("log", ops.log, np.log, low=0.5),
    Case("sqrt", ops.sqrt, np.sqrt, low=0.5),
    Case("square", ops.square, np.square),
    Case("sign", ops.sign, np.sign),
    Case("clip", lambda x: ops.clip(x, -0.5, 1.0), lambda x: np.clip(x, -0.5, 1.0)),
    Case("relu", ops.relu, lambda x: np.maximum(x, 0)),
    Case("sigmoid", ops.sigmoid, sigmoid),
    Case("tanh", ops.tanh, np.tanh),
    Case("silu", ops.silu, lambda x: x * sigmoid(x)),
    Case("elu", ops.elu, lambda x: np.where(x > 0, x, np.expm1(x))),
    Case("softplus", ops.softplus, lambda x: np.log1p(np.exp(x))),
    Case("softmax", ops.softmax, softmax),
    Case("softmax along an axis", lambda x: ops.softmax(x, axis=1), lambda x: softmax(x, 1)),
    Case("add", ops.add, np.add, PAIR),
    Case("subtract", ops.subtract, np.subtract, PAIR),
    Case("multiply", ops.multiply, np.multiply, PAIR),
    Case("divide", ops.divide, np.divide, PAIR, low=0.5),
    Case("maximum", ops.maximum, np.maximum, PAIR),
    Case("minimum", ops.minimum, np.minimum, PAIR),
    Case("power", ops.power, np.power, PAIR, low=0.5),
    Case("add with broadcasting", ops.add, np.add, BROADCAST),
    Case("multiply by fewer axes", lambda x: ops.multiply(x, np.ones((5,), x.dtype) * 3), lambda x: x * 3),
    Case("greater", ops.greater, np.greater, PAIR, dtype="bool"),
    Case("less_equal", ops.less_equal, np.less_equal, BROADCAST, dtype="bool"),
    Case("where", lambda x, y: ops.where(ops.greater(x, y), x, y), np.maximum, PAIR),
    Case("cast", lambda x: ops.cast(x, "float64"), lambda x: x.astype("float64"), dtype="float64"),
]

REDUCTIONS = [
    Case("sum over all", ops.sum, np.sum),
    Case("sum over the last axis", lambda x: ops.sum(x, axis=-1), lambda x: x.sum(axis=-1)),
    Case(
        "sum over axes, kept", lambda x: ops.sum(x, axis=(1, 2), keepdims=True), lambda x: x.sum((1, 2), keepdims=True)
    ),
    Case("mean", lambda x: ops.mean(x, axis=1), lambda x: x.mean(axis=1)),
    Case("mean over the batch", lambda x: ops.mean(x, axis=0), lambda x: x.mean(axis=0)),
    Case("max", lambda x: ops.max(x, axis=2, keepdims=True), lambda x: x.max(axis=2, keepdims=True)),
    Case("min", lambda x: ops.min(x, axis=-2), lambda x: x.min(axis=-2)),
    Case("var", lambda x: ops.var(x, axis=(0, 1)), lambda x: x.var(axis=(0, 1))),
    Case("any", lambda x: ops.any(ops.greater(x, 1.9), axis=-1), lambda x: (x > 1.9).any(axis=-1), dtype="bool"),
    Case("all", lambda x: ops.all(ops.greater(x, -1.9), axis=-1), lambda x: (x > -1.9).all(axis=-1), dtype="bool"),
]

SHAPING = [
    Case("reshape", lambda x: ops.reshape(x, (-1, 20)), lambda x: x.reshape(-1, 20)),
    Case("reshape with a free axis", lambda x: ops.reshape(x, (-1, 2, 10)), lambda x: x.reshape(-1, 2, 10)),
    Case("transpose", lambda x: ops.transpose(x, (0, 2, 1)), lambda x: x.transpose(0, 2, 1)),
    Case("transpose whole", ops.transpose, np.transpose),
    Case(
        "concatenate", lambda x, y: ops.concatenate([x, y], axis=1), lambda x, y: np.concatenate([x, y], 1), BROADCAST
    ),
    Case("stack", lambda x, y: ops.stack([x, y], axis=-1), lambda x, y: np.stack([x, y], -1), PAIR),
    Case("expand_dims", lambda x: ops.expand_dims(x, 1), lambda x: np.expand_dims(x, 1)),
    Case("squeeze", lambda x: ops.squeeze(x, 1), lambda x: x.squeeze(1), ((3, 1, 5),), known=(1,)),
    Case("matmul", ops.matmul, np.matmul, ((3, 4, 5), (3, 5, 2))),
]

NORMALIZATIONS = [
    Case("layer_normalization", lambda x: ops.layer_normalization(x, epsilon=1e-3), lambda x: normal(x, -1)),
    Case(
        "layer_normalization over axes",
        lambda x: ops.layer_normalization(x, np.full((4, 5), 2, x.dtype), np.ones((4, 5), x.dtype), (1, 2), 1e-3),
        lambda x: 2 * normal(x, (1, 2)) + 1,
    ),
    Case(
        "layer_normalization over a middle axis",
        lambda x: ops.layer_normalization(x, np.arange(4, dtype=x.dtype), axis=1, epsilon=1e-3),
        lambda x: np.arange(4)[:, None] * normal(x, 1),
    ),
    Case(
        "rms_normalization",
        lambda x: ops.rms_normalization(x, np.arange(5, dtype=x.dtype), epsilon=1e-3),
        lambda x: np.arange(5) * x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-3),
    ),
    Case("normalize", lambda x: ops.normalize(x, (0, 2)), lambda x: x / np.sqrt((x * x).sum((0, 2), keepdims=True))),
    Case("group_normalization", lambda x: ops.group_normalization(x, 2), lambda x: grouped(x, 2), ((3, 4, 6),)),
    Case(
        "group_normalization along another axis",
        lambda x: ops.group_normalization(x, 2, axis=1),
        lambda x: grouped(x.transpose(0, 2, 1), 2).transpose(0, 2, 1),
    ),
    Case(
        "group_normalization by deviations",
        lambda x: ops.group_normalization(x, 5, epsilon=0.5, epsilon_to_deviation=True),
        lambda x: (x - x.mean(1, keepdims=True)) / (x.std(1, keepdims=True) + 0.5),
    ),
    Case(
        "linear upsampling",
        lambda x: ops.upsample(x, (1, 1, 2), interpolation="linear"),
        lambda x: np.stack(
            [0.25 * x[..., [0, 0, 1], :] + 0.75 * x, 0.75 * x + 0.25 * x[..., [1, 2, 2], :]], axis=4
        ).reshape(-1, 2, 2, 6, 2),
        ((1, 2, 2, 3, 2),),
    ),
]

OPERATORS = [
    Case("x + 1", lambda x: x + 1, lambda x: x + 1),
    Case("1 + x", lambda x: 1 + x, lambda x: 1 + x),
    Case("x - y", lambda x, y: x - y, lambda x, y: x - y, BROADCAST),
    Case("1 - x", lambda x: 1 - x, lambda x: 1 - x),
    Case("x * y", lambda x, y: x * y, lambda x, y: x * y, PAIR),
    Case("2.5 * x", lambda x: 2.5 * x, lambda x: 2.5 * x),
    Case("x / y", lambda x, y: x / y, lambda x, y: x / y, PAIR, low=0.5),
    Case("1 / x", lambda x: 1 / x, lambda x: 1 / x, low=0.5),
    Case("x ** 2", lambda x: x**2, lambda x: x**2),
    Case("x ** 0.5", lambda x: x**0.5, lambda x: x**0.5, low=0.5),
    Case("2 ** x", lambda x: 2**x, lambda x: 2**x),
    Case("-x", lambda x: -x, lambda x: -x),
    Case("abs(x)", abs, np.abs),
    Case("x // 0.3", lambda x: x // 0.3, lambda x: x // x.dtype.type(0.3)),
    Case("x % 0.7", lambda x: x % 0.7, lambda x: x % x.dtype.type(0.7)),
    Case("x @ y", lambda x, y: x @ y, lambda x, y: x @ y, ((3, 4, 5), (3, 5, 2))),
    Case("x < y", lambda x, y: x < y, lambda x, y: x < y, PAIR, dtype="bool"),
    Case("x <= 1", lambda x: x <= 1, lambda x: x <= 1, dtype="bool"),
    Case("x > y", lambda x, y: x > y, lambda x, y: x > y, PAIR, dtype="bool"),
    Case("x >= 0", lambda x: x >= 0, lambda x: x >= 0, dtype="bool"),
    Case("an array on the left", lambda x: np.full((5,), 2, x.dtype) * x, lambda x: 2 * x),
    Case("a chain", lambda x: ((x - 1) * 2 + x / 4) ** 2 - 1, lambda x: ((x - 1) * 2 + x / 4) ** 2 - 1),
]

SLICES = [
    Case("x[...]", lambda x: x[...], lambda x: x[...]),
    Case("x[:, 1]", lambda x: x[:, 1], lambda x: x[:, 1]),
    Case("x[:, -1]", lambda x: x[:, -1], lambda x: x[:, -1]),
    Case("x[:, 1:3]", lambda x: x[:, 1:3], lambda x: x[:, 1:3]),
    Case("x[..., ::2]", lambda x: x[..., ::2], lambda x: x[..., ::2]),
    Case("x[:, ::-1]", lambda x: x[:, ::-1], lambda x: x[:, ::-1]),
    Case("x[..., :1, 2:]", lambda x: x[..., :1, 2:], lambda x: x[..., :1, 2:]),
    Case("x[:, None, :, 0]", lambda x: x[:, None, :, 0], lambda x: x[:, None, :, 0]),
    Case("x[:, -3:-1]", lambda x: x[:, -3:-1], lambda x: x[:, -3:-1]),
    Case("x[:, 2:100]", lambda x: x[:, 2:100], lambda x: x[:, 2:100]),
]

CASES = ELEMENTWISE + REDUCTIONS + SHAPING + NORMALIZATIONS + OPERATORS + SLICES
