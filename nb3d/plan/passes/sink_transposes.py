"""Transposes move towards the outputs until they meet their inverse: a channels-first network keeps one at each end.

Every channels-first layer is recorded as transpose, channels-last work, transpose back. What stands between two layers
(activations, sums, normalization, concatenation, means over space) does not care for the order of axes, so the
transpose behind a layer can pass it and cancel the one before the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nb3d.engine.opgraph import Op
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.shapes import normalize_axes, normalize_axis
from nb3d.ops.shaping import TRANSPOSE
from nb3d.plan.graph import Graph, Step, ValueId
from nb3d.plan.passes.pattern import Rewriting

Axes = tuple[int, ...]

_ALONG_AXIS = frozenset(("softmax", "log_softmax", "sparsemax", "batch_normalization"))
_REDUCTIONS = frozenset(["sum", "mean", "max", "min", "prod", "any", "all", "variance"])


class _Sinking:
    """The graph under work, and for every transposed value its source and order of axes."""

    def __init__(self, graph: Graph) -> None:
        self.bench = Rewriting(graph)
        self.steps: list[Step] = []
        self.names: dict[ValueId, ValueId] = {}
        self.transposed: dict[ValueId, tuple[ValueId, Axes]] = {}

    def value(self, value: ValueId | None) -> ValueId | None:
        return None if value is None else self.names.get(value, value)

    def source(self, value: ValueId | None) -> tuple[ValueId, Axes] | None:
        return None if value is None else self.transposed.get(value)

    def emit(self, step: Step) -> None:
        """Adds a step; a transpose of a transpose becomes one, or none."""
        if step.op.name == "transpose":
            (value,) = step.operands()
            axes: Axes = step.attrs["axes"]
            before = self.source(value)
            if before is not None:
                value, axes = before[0], tuple(before[1][axis] for axis in axes)
            if axes == tuple(range(len(axes))):
                self.names[step.output] = value
                return
            step = replace(step, inputs=(value,), attrs={"axes": axes})
            self.transposed[step.output] = (value, axes)
        self.steps.append(step)

    def below(self, step: Step, inputs: tuple[ValueId | None, ...], axes: Axes, **attrs: object) -> None:
        """The step on untransposed inputs, and the transpose behind it."""
        spec = self.bench.specs[step.output]
        sizes: list[int | None] = [None] * len(axes)
        for position, axis in enumerate(axes):
            sizes[axis] = spec.shape[position]
        inner = self.bench.new_value(TensorSpec(tuple(sizes), spec.dtype))
        self.emit(replace(step, inputs=inputs, output=inner, attrs={**step.attrs, **attrs}))
        self.emit(Step(TRANSPOSE, (inner,), step.output, {"axes": axes}, step.label))

    def handle(self, step: Step) -> None:
        step = replace(step, inputs=tuple(self.value(value) for value in step.inputs))
        rule = _rule(step.op)
        if rule is None or not rule(self, step):
            self.emit(step)


def _rule(op: Op) -> Callable[[_Sinking, Step], bool] | None:
    if op.elementwise:
        return _past_elementwise
    if op.name in _ALONG_AXIS:
        return _past_axis
    if op.name in _REDUCTIONS:
        return _into_reduction
    return _past_concatenation if op.name == "concatenate" else None


def _past_elementwise(work: _Sinking, step: Step) -> bool:
    """All operands are transposed alike, but for constants."""
    found = [work.source(value) for value in step.inputs]
    orders = {item[1] for item in found if item is not None}
    if len(orders) != 1:
        return False
    (axes,) = orders
    inputs: list[ValueId] = []
    for value, item in zip(step.operands(), found, strict=True):
        if item is not None:
            inputs.append(item[0])
        elif value in work.bench.constants:
            inputs.append(_untransposed(work, work.bench.constants[value], axes))
        else:
            return False
    work.below(step, tuple(inputs), axes)
    return True


def _past_axis(work: _Sinking, step: Step) -> bool:
    found = work.source(step.inputs[0])
    if found is None:
        return False
    source, axes = found
    axis = axes[normalize_axis(step.attrs["axis"], len(axes))]
    work.below(step, (source, *step.inputs[1:]), axes, axis=axis)
    return True


def _past_concatenation(work: _Sinking, step: Step) -> bool:
    found = [work.source(value) for value in step.inputs]
    if any(item is None or item[1] != found[0][1] for item in found):  # type: ignore[index]  # None is tested first
        return False
    sources, (axes, *_) = zip(*(item for item in found if item is not None), strict=True)
    work.below(step, sources, axes, axis=axes[normalize_axis(step.attrs["axis"], len(axes))])
    return True


def _untransposed(work: _Sinking, array: np.ndarray, axes: Axes) -> ValueId:
    """A constant as it broadcasts against the source of a transposed operand."""
    if array.size == 1:
        return work.bench.add_constant(array.reshape(()))
    whole = array.reshape((1,) * (len(axes) - array.ndim) + array.shape)
    return work.bench.add_constant(np.ascontiguousarray(whole.transpose(np.argsort(axes))))


def _into_reduction(work: _Sinking, step: Step) -> bool:
    """A reduction takes other axes instead, if what is left stands in the same order."""
    found = work.source(step.inputs[0])
    if found is None or step.attrs["keepdims"]:
        return False
    source, axes = found
    reduced = normalize_axes(step.attrs["axis"], len(axes))
    left = [axis for position, axis in enumerate(axes) if position not in reduced]
    if left != sorted(left):
        return False
    attrs = {**step.attrs, "axis": tuple(axes[axis] for axis in reduced)}
    work.emit(replace(step, inputs=(source,), attrs=attrs))
    return True


def sink_transposes(graph: Graph) -> Graph:
    """The graph with transposes moved behind what they can pass, and inverse pairs gone."""
    if not any(step.op.name == "transpose" for step in graph.steps):
        return graph
    work = _Sinking(graph)
    for step in graph.steps:
        work.handle(step)
    bench = work.bench
    rewritten = replace(graph, steps=tuple(work.steps), specs=bench.specs, constants=bench.constants)
    return rewritten.substituted(work.names)
