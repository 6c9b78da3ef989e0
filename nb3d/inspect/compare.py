"""Where two computations of one network part: layer by layer, against activations recorded elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

TOLERANCE = 1e-4  # of the largest value: sums in another order, as long as networks have them


@dataclass(frozen=True)
class Difference:
    """How far one output of a layer is from what was recorded.

    Attributes:
        layer: Name of the layer, ``network/layer`` inside a network.
        error: Largest distance, relative to the largest recorded value; infinite where shapes or NaNs differ.
        index: Where it is, samples first; empty where shapes differ.
        got: What nb3d computes there, or its shape.
        expected: What was recorded there, or its shape.
    """

    layer: str
    error: float
    index: tuple[int, ...]
    got: Any
    expected: Any

    def __str__(self) -> str:
        return f"{self.layer:24} {self.error:9.2e}  at {self.index}: expected {self.expected}, got {self.got}"


class Comparison:
    """The differences of all layers that were compared, in the order of computation; printing lists them.

    Attributes:
        differences: One per output.
        tolerance: The largest error that counts as rounding.
    """

    def __init__(self, differences: list[Difference], tolerance: float) -> None:
        self.differences = differences
        self.tolerance = tolerance

    @property
    def first(self) -> Difference | None:
        """The first output that differs by more than rounding; ``None`` if all agree."""
        return next((item for item in self.differences if not item.error <= self.tolerance), None)

    def __str__(self) -> str:
        lines = [f"{'! ' if not item.error <= self.tolerance else '  '}{item}" for item in self.differences]
        end = f"the first layer that differs is {self.first.layer!r}" if self.first else "all layers agree"
        return "\n".join([*lines, f"{end} (tolerance {self.tolerance:g})"])


def compare(model: Any, recorded: Mapping[str, Any], tolerance: float = TOLERANCE) -> Comparison:
    """Compares what a model computes with what was recorded for the same input, for instance in Keras.

    Record in Keras, for a model with one output per layer, with::

        outputs = keras.Model(model.inputs, [layer.output for layer in model.layers]).predict(x)
        numpy.savez("recorded.npz", **{layer.name: y for layer, y in zip(model.layers, outputs)})

    and compare with ``compare(nb3d_model, numpy.load("recorded.npz"))``.

    Args:
        model: The model.
        recorded: Name of a layer -> its output; a list for a layer with several outputs or calls. Those of all input
            layers must be there: they are what the model is given. Others may be missing. A layer of a network inside
            the model is called ``network/layer``.
        tolerance: The largest distance, relative to the largest recorded value of a layer, that counts as rounding.

    Returns:
        A `Comparison`; its `first` is the first layer that differs.

    Raises:
        ValueError: If an input is missing, or a name is that of no layer.

    Example:
        >>> import nb3d, numpy as np
        >>> x = nb3d.Input((2,), name="x")
        >>> model = nb3d.Model(x, nb3d.layers.Dense(1, kernel_initializer="ones", name="sum")(x))
        >>> recorded = {"x": np.ones((1, 2)), "sum": np.full((1, 1), 3.0)}
        >>> nb3d.inspect.compare(model, recorded).first.layer
        'sum'
    """
    missing = [name for name in model.input_names if name not in recorded]
    if missing:
        raise ValueError(f"compare needs the recorded values of the inputs {missing}, got those of {list(recorded)}.")
    inputs = [np.asarray(recorded[name]) for name in model.input_names]
    computed = model.layer_outputs(inputs, layers=list(recorded))
    differences = [
        item for name, outputs in computed.items() for item in _differences(name, outputs, recorded[name])
    ]
    return Comparison(differences, tolerance)


def _differences(layer: str, outputs: Any, recorded: Any) -> Iterator[Difference]:
    got = outputs if isinstance(outputs, list) else [outputs]
    want = recorded if isinstance(recorded, list | tuple) else [recorded]
    if len(got) != len(want):
        yield Difference(layer, float("inf"), (), f"{len(got)} outputs", f"{len(want)} outputs")
        return
    for mine, its in zip(got, map(np.asarray, want), strict=True):
        yield _difference(layer, mine, its)


def _difference(layer: str, got: np.ndarray, want: np.ndarray) -> Difference:
    if got.shape != want.shape:
        return Difference(layer, float("inf"), (), got.shape, want.shape)
    if not got.size:
        return Difference(layer, 0.0, (), got.shape, want.shape)
    known = np.isfinite(want)
    scale = float(np.abs(np.where(known, want, 0)).astype("float64").max()) or 1.0
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.where(same, 0.0, np.abs(got.astype("float64") - want) / scale)
    distance[np.isnan(distance)] = np.inf  # one of the two is not finite
    worst = int(distance.argmax())
    index = tuple(int(at) for at in np.unravel_index(worst, got.shape))
    return Difference(layer, float(distance[index]), index, got[index].item(), want[index].item())
