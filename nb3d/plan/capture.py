"""From recorded operations to a plan's graph: what the outputs need, with all sizes known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nb3d.engine.tensor import KerasTensor, TensorSpec
from nb3d.engine.variable import Variable
from nb3d.plan.graph import Graph, Step, ValueId


def needed_tensors(inputs: Sequence[KerasTensor], results: Sequence[Any]) -> list[KerasTensor]:
    """Symbolic tensors behind `results`, each after what it needs; the search stops at `inputs`.

    Raises:
        ValueError: If a result needs an input that is not among `inputs`.
    """
    fed = {id(tensor) for tensor in inputs}
    order: list[KerasTensor] = []
    state: set[int] = set()
    stack: list[tuple[Any, bool]] = [(tensor, False) for tensor in reversed(results)]
    while stack:
        tensor, ready = stack.pop()
        if ready:
            order.append(tensor)
            continue
        if id(tensor) in state or id(tensor) in fed or not isinstance(tensor, KerasTensor):
            continue
        state.add(id(tensor))
        if tensor.producer is None:
            raise ValueError(
                f"The outputs depend on tensor {tensor.name!r} of shape {tensor.shape}, which is not among the inputs "
                f"{[given.name for given in inputs]}."
            )
        stack.append((tensor, True))
        stack.extend((source, False) for source in reversed(tensor.producer.inputs))
    return order


class _Capture:
    """Numbers values while it walks over the tensors."""

    def __init__(self, live: set[int]) -> None:
        self.live = live  # ids of the Variables that a run changes
        self.values: dict[int, ValueId] = {}
        self.keep: list[Any] = []  # holds what is known by its id
        self.specs: dict[ValueId, TensorSpec] = {}
        self.constants: dict[ValueId, np.ndarray] = {}
        self.variables: dict[ValueId, Variable] = {}
        self.sources: list[tuple[Variable, int]] = []
        self.steps: list[Step] = []

    def new(self, source: Any, spec: TensorSpec) -> ValueId:
        value = len(self.specs)
        self.specs[value] = spec
        self.values[id(source)] = value
        self.keep.append(source)
        return value

    def value_of(self, source: Any) -> ValueId:
        if id(source) in self.values:
            return self.values[id(source)]
        if isinstance(source, Variable):
            value = self.new(source, source.spec)
            if id(source) in self.live:
                self.variables[value] = source
            else:
                self.sources.append((source, source.version))
                self.constants[value] = source.value
            return value
        array = np.asarray(source)
        value = self.new(source, TensorSpec(array.shape, array.dtype.name))
        self.constants[value] = array
        return value

    def step(self, tensor: KerasTensor) -> None:
        node = tensor.producer
        assert node is not None
        operands = tuple(None if source is None else self.value_of(source) for source in node.inputs)
        specs = tuple(None if value is None else self.specs[value] for value in operands)
        spec = node.op.infer(*specs, **node.attrs)
        self.steps.append(Step(node.op, operands, self.new(tensor, spec), node.attrs, _layer_name(tensor)))


def _layer_name(tensor: KerasTensor) -> str:
    """The layer that returned the tensor, within networks too; nothing for what is computed inside one."""
    return str(tensor._keras_history.operation.name) if hasattr(tensor, "_keras_history") else tensor.place


def capture(
    inputs: Sequence[KerasTensor], specs: Sequence[TensorSpec], outputs: Sequence[Any], updates: Sequence[KerasTensor]
) -> Graph:
    """The graph that computes `outputs` and `updates` from inputs of given sizes.

    Args:
        inputs: Symbolic tensors that are fed; any tensor of the user's graph may be one.
        specs: Their shapes, all sizes known.
        outputs: Tensors or Variables.
        updates: Tensors that `nb3d.ops.assign` and its kin made; others are computed, and change nothing.

    Raises:
        ValueError: If an output needs an input that is not there, or the sizes do not fit an operation.
    """
    tensors = needed_tensors(inputs, [*outputs, *updates])
    assigned = [tensor.producer for tensor in tensors if tensor.producer and tensor.producer.op.name == "assign"]
    graph = _Capture({id(node.inputs[0]) for node in assigned})
    fed = tuple(graph.new(tensor, spec) for tensor, spec in zip(inputs, specs, strict=True))
    for tensor in tensors:
        graph.step(tensor)
    produced = tuple(graph.value_of(output) for output in outputs)
    changes = tuple(
        (tensor.producer.inputs[0], graph.values[id(tensor)])
        for tensor in tensors
        if tensor.producer and tensor.producer.op.name == "assign"
    )
    return Graph(
        steps=tuple(graph.steps),
        specs=graph.specs,
        constants=graph.constants,
        variables=graph.variables,
        inputs=fed,
        outputs=produced,
        updates=changes,
        sources=tuple(graph.sources),
    )
