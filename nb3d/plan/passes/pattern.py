"""What the fusing passes share: a step that feeds exactly one other, and swallowing that other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from nb3d.engine.tensor import TensorSpec
from nb3d.plan.graph import Graph, Step, ValueId

# Operations whose kernels add a bias and apply an activation on the way out -> where their bias stands.
BIAS_OPERAND = {"conv3d": 2, "conv3d_transpose": 2, "dense": 2}
NORMALIZATIONS = ("batch_normalization", "normalization")  # their kernels apply an activation too
RESIDUAL_OPERAND = {"conv3d": 3}


def epilogue(step: Step) -> tuple[int, float, float]:
    """Activation code and its two numbers."""
    found: tuple[int, float, float] = step.attrs.get("epilogue", (0, 0.0, 0.0))
    return found


def is_free(step: Step, operand: int) -> bool:
    """Whether an operand of the write-out is still absent, and no activation comes before it."""
    return step.inputs[operand] is None and epilogue(step)[0] == 0


def with_operand(step: Step, position: int, value: ValueId) -> Step:
    """The step with one operand put in."""
    inputs = tuple(value if i == position else old for i, old in enumerate(step.inputs))
    return replace(step, inputs=inputs)


class Rewriting:
    """A graph on the bench: the steps and constants of a pass under way."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.steps = graph.producers()  # in running order
        self.uses = graph.uses()
        self.specs = dict(graph.specs)
        self.constants = dict(graph.constants)
        self._next = max(graph.specs, default=-1)

    def shape(self, value: ValueId) -> tuple[int, ...]:
        """Sizes of a value."""
        return self.specs[value].shape  # type: ignore[return-value]  # all are known in a plan

    def new_value(self, spec: TensorSpec) -> ValueId:
        """The number of a new value."""
        self._next += 1
        self.specs[self._next] = spec
        return self._next

    def add_constant(self, array: np.ndarray) -> ValueId:
        """The number of a new constant."""
        value = self.new_value(TensorSpec(array.shape, array.dtype.name))
        self.constants[value] = array
        return value

    def result(self) -> Graph:
        """The rewritten graph."""
        return replace(self._graph, steps=tuple(self.steps.values()), specs=self.specs, constants=self.constants)


def swallow(
    graph: Graph,
    consumers: Iterable[str],
    producers: Iterable[str],
    match: Callable[[Rewriting, Step, Step], Step | None],
) -> Graph:
    """Merges pairs of steps, one of which feeds the other, into the operation of one of them.

    Args:
        graph: The graph.
        consumers: Operations of the one that is fed.
        producers: Operations of the one that feeds; its result must have no other use.
        match: ``(graph on the bench, producer, consumer) -> merged step``, or None where they do not fit. The merged
            step stands in the consumer's place, so operands of both are there by then.
    """
    bench = Rewriting(graph)
    for consumer in graph.steps:
        if consumer.op.name not in consumers:
            continue
        for value in consumer.operands():
            producer = bench.steps.get(value)
            if producer is None or producer.op.name not in producers or bench.uses[value] != 1:
                continue
            merged = match(bench, producer, consumer)
            if merged is not None:
                del bench.steps[value]
                kept, gone = (producer, consumer) if merged.op is producer.op else (consumer, producer)
                fused = (*kept.fused, *gone.fused, gone.op.name)
                label = kept.label or gone.label
                bench.steps[consumer.output] = replace(merged, output=consumer.output, fused=fused, label=label)
                break
    return bench.result()


def per_channel(graph: Rewriting, value: ValueId | None, channels: int) -> Any:
    """A constant with one value per channel, as an array ``(channels,)``, or None."""
    if value is None or value not in graph.constants:
        return None
    array = graph.constants[value]
    fits = array.size == channels and array.shape[-1:] == (channels,)
    return array.reshape(channels) if fits else None
