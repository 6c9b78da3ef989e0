"""Small graphs that the plan's tests share."""

from __future__ import annotations

from typing import Any

import numpy as np

import nb3d
from nb3d.engine.tensor import TensorSpec
from nb3d.plan.capture import capture
from nb3d.plan.graph import Graph

SHAPE = (1, 6, 5, 4, 3)


def volume(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def randomized(layer_or_model: Any, seed: int = 1) -> None:
    """Gives all weights random values, variances positive ones, so that nothing cancels by chance."""
    rng = np.random.default_rng(seed)
    for variable in layer_or_model.weights:
        variable.assign(rng.uniform(0.5, 1.5, variable.shape))


def graph_of(inputs: list[Any], outputs: list[Any], updates: list[Any] | None = None) -> Graph:
    specs = [TensorSpec((1, *tensor.shape[1:]), tensor.dtype) for tensor in inputs]
    return capture(inputs, specs, outputs, updates or [])


def names(graph: Graph) -> list[str]:
    return [step.op.name for step in graph.steps]


def value_of(tensor: Any, inputs: list[Any], arrays: list[np.ndarray]) -> np.ndarray:
    return nb3d.function(inputs, [tensor])(arrays)[0]
