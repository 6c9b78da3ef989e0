"""Small layers and short cuts that the tests of the engine share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import nb3d
from nb3d import ops


def evaluate(outputs: Sequence[Any], feeds: Mapping[Any, Any] | None = None) -> list[np.ndarray]:
    """The values of symbolic tensors when each input tensor of `feeds` is given its array."""
    feeds = dict(feeds or {})
    return nb3d.function(list(feeds), list(outputs))([np.asarray(value) for value in feeds.values()])


def values_of(weights: Sequence[Any]) -> list[np.ndarray]:
    return [variable.numpy() for variable in weights]


def same_objects(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Whether two sequences hold the same objects in the same order."""
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))


def assert_close(actual: Any, expected: Any, tolerance: float = 1e-5) -> None:
    """Asserts that two results differ by rounding only, measured against the largest value."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * max(1.0, float(np.abs(expected).max())))


def count(shape: Sequence[int], start: float = 0.0) -> np.ndarray:
    """An array of float32 whose elements are all different."""
    return np.arange(start, start + np.prod(shape), dtype="float32").reshape(shape)


class Scale(nb3d.layers.Layer):
    """Multiplies by one trainable number; ``offset`` is a plain argument of the call."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(name="factor", shape=(1,), initializer="ones")
        super().build(input_shape)

    def call(self, inputs: Any, offset: float = 0.0) -> Any:
        return inputs * self.factor + offset


class Twin(nb3d.layers.Layer):
    """One input, two outputs."""

    def call(self, inputs: Any) -> list[Any]:
        return [inputs + 1.0, inputs * 2.0]


class Same(nb3d.layers.Layer):
    """Returns its input; lets masks pass."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs


class MakesMask(nb3d.layers.Layer):
    """Doubles its input and says which voxels are positive."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2.0

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.any(ops.greater(inputs, 0.0), axis=-1)


class TakesMask(nb3d.layers.Layer):
    """Remembers the mask which its last call received."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.received: list[Any] = []

    def call(self, inputs: Any, mask: Any = None) -> Any:
        self.received.append(mask)
        first = inputs[0] if isinstance(inputs, list | tuple) else inputs
        return first + 1.0
