"""Transposes and dropped unit axes move towards the outputs until they meet their inverse.

A channels-first layer is recorded as transpose, channels-last work, transpose back; one of sequences or images as unit
axes added, work on volumes, unit axes dropped. What stands between two layers (activations, sums, normalization,
concatenation, means over space) does not care for the order of axes, nor for unit ones, so what a layer does behind its
work can pass it and cancel what the next one does before. A network keeps one change of layout at each end.

Both changes are one thing here: a value's *layout* is its source and, for each of its axes, the axis of the source; the
axes of the source that are left out have size 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nb3d.engine.opgraph import Op
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.shapes import normalize_axes, normalize_axis
from nb3d.ops.shaping import AXES, TRANSPOSE
from nb3d.plan.graph import Graph, Step, ValueId
from nb3d.plan.passes.pattern import Rewriting

Axes = tuple[int, ...]

_ALONG_AXIS = frozenset(("softmax", "log_softmax", "sparsemax", "batch_normalization"))
_REDUCTIONS = frozenset(["sum", "mean", "max", "min", "prod", "any", "all", "variance"])


class _Sinking:
    """The graph under work, and for every value that is another in a layout, that other and the layout."""

    def __init__(self, graph: Graph) -> None:
        self.bench = Rewriting(graph)
        self.steps: list[Step] = []
        self.names: dict[ValueId, ValueId] = {}
        self.layouts: dict[ValueId, tuple[ValueId, Axes]] = {}

    def source(self, value: ValueId | None) -> tuple[ValueId, Axes] | None:
        return None if value is None else self.layouts.get(value)

    def rank(self, value: ValueId) -> int:
        return len(self.bench.specs[value].shape)

    def left_out(self, value: ValueId) -> list[int]:
        """The axes of a value's source that it does not have."""
        source, axes = self.layouts[value]
        return [axis for axis in range(self.rank(source)) if axis not in axes]

    def lay_out(self, source: ValueId, axes: Axes, output: ValueId, label: str) -> None:
        """Adds what makes `output` of `source`; a change of a change becomes one, or none."""
        if source in self.layouts:
            source, before = self.layouts[source]
            axes = tuple(before[axis] for axis in axes)
        rank, kept = self.rank(source), sorted(axes)
        if axes == tuple(range(rank)):
            self.names[output] = source
            return
        self.layouts[output] = source, axes
        order = tuple(kept.index(axis) for axis in axes)
        moved = order != tuple(range(len(order)))
        if len(kept) < rank:
            plan = tuple("keep" if axis in axes else "drop" for axis in range(rank))
            shape = tuple(self.bench.shape(source)[axis] for axis in kept)
            target = self.bench.new_value(TensorSpec(shape, self.bench.specs[source].dtype)) if moved else output
            self.steps.append(Step(AXES, (source,), target, {"plan": plan}, label))
            source = target
        if moved:
            self.steps.append(Step(TRANSPOSE, (source,), output, {"axes": order}, label))

    def below(self, step: Step, inputs: tuple[ValueId | None, ...], axes: Axes, rank: int, **attrs: object) -> None:
        """The step on sources of that rank, and the layout behind it."""
        spec = self.bench.specs[step.output]
        sizes: list[int | None] = [1] * rank
        for position, axis in enumerate(axes):
            sizes[axis] = spec.shape[position]
        inner = self.bench.new_value(TensorSpec(tuple(sizes), spec.dtype))
        self.steps.append(replace(step, inputs=inputs, output=inner, attrs={**step.attrs, **attrs}))
        self.lay_out(inner, axes, step.output, step.label)

    def handle(self, step: Step) -> None:
        inputs = tuple(None if value is None else self.names.get(value, value) for value in step.inputs)
        step = replace(step, inputs=inputs)
        rule = _rule(step.op)
        if rule is None or not rule(self, step):
            self.steps.append(step)


def _rule(op: Op) -> Callable[[_Sinking, Step], bool] | None:
    if op.elementwise:
        return _past_elementwise
    if op.name in _ALONG_AXIS:
        return _past_axis
    if op.name in _REDUCTIONS:
        return _into_reduction
    return _RULES.get(op.name)


def _transpose(work: _Sinking, step: Step) -> bool:
    (value,) = step.operands()
    work.lay_out(value, step.attrs["axes"], step.output, step.label)
    return True


def _unit_axes(work: _Sinking, step: Step) -> bool:
    """Axes that are dropped are a layout; those that are added meet the ones that the source has."""
    plan = step.attrs.get("plan")
    if plan is None:
        return False
    (value,) = step.operands()
    kept = [index for index, action in enumerate(action for action in plan if action != "new") if action == "keep"]
    if "new" not in plan:
        work.lay_out(value, tuple(kept), step.output, step.label)
        return True
    if "drop" in plan or value not in work.layouts:
        return False
    source, axes = work.layouts[value]
    spare, old = iter(work.left_out(value)), iter(axes)
    restored = tuple(next(spare, -1) if action == "new" else next(old) for action in plan)
    if restored != tuple(range(work.rank(source))):
        return False
    work.names[step.output] = source
    return True


def _past_elementwise(work: _Sinking, step: Step) -> bool:
    """All operands are in one layout, but for constants."""
    found = [work.source(value) for value in step.inputs]
    layouts = {(item[1], work.rank(item[0])) for item in found if item is not None}
    if len(layouts) != 1:
        return False
    ((axes, rank),) = layouts
    inputs: list[ValueId] = []
    for value, item in zip(step.operands(), found, strict=True):
        if item is not None:
            inputs.append(item[0])
        elif value in work.bench.constants and work.bench.constants[value].ndim <= len(axes):
            inputs.append(_in_source(work, work.bench.constants[value], axes, rank))
        else:
            return False
    work.below(step, tuple(inputs), axes, rank)
    return True


def _past_axis(work: _Sinking, step: Step) -> bool:
    found = work.source(step.inputs[0])
    if found is None:
        return False
    source, axes = found
    axis = axes[normalize_axis(step.attrs["axis"], len(axes))]
    work.below(step, (source, *step.inputs[1:]), axes, work.rank(source), axis=axis)
    return True


def _past_normalization(work: _Sinking, step: Step) -> bool:
    """Statistics are over the last axes; unit axes among them, or before them, change nothing."""
    found = work.source(step.inputs[0])
    if found is None:
        return False
    source, axes = found
    if list(axes) != sorted(axes) or axes[-1] != work.rank(source) - 1:
        return False
    work.below(step, (source, *step.inputs[1:]), axes, work.rank(source), first=axes[step.attrs["first"]])
    return True


def _past_concatenation(work: _Sinking, step: Step) -> bool:
    found = [item for item in map(work.source, step.inputs) if item is not None]
    layouts = {(axes, work.rank(source)) for source, axes in found}
    if len(found) < len(step.inputs) or len(layouts) != 1:
        return False
    ((axes, rank),) = layouts
    axis = axes[normalize_axis(step.attrs["axis"], len(axes))]
    work.below(step, tuple(source for source, _ in found), axes, rank, axis=axis)
    return True


def _in_source(work: _Sinking, array: np.ndarray, axes: Axes, rank: int) -> ValueId:
    """A constant as it broadcasts against the source of an operand in that layout."""
    if array.size == 1:
        return work.bench.add_constant(array.reshape(()))
    whole = array.reshape((1,) * (len(axes) - array.ndim) + array.shape)
    shape = [1] * rank
    for position, axis in enumerate(axes):
        shape[axis] = whole.shape[position]
    return work.bench.add_constant(np.ascontiguousarray(whole.transpose(np.argsort(axes))).reshape(shape))


def _into_reduction(work: _Sinking, step: Step) -> bool:
    """A reduction takes other axes instead, if what is left stands in the same order."""
    value = step.inputs[0]
    if value is None or value not in work.layouts or step.attrs["keepdims"]:
        return False
    source, axes = work.layouts[value]
    reduced = normalize_axes(step.attrs["axis"], len(axes))
    left = [axis for position, axis in enumerate(axes) if position not in reduced]
    if left != sorted(left):
        return False
    attrs = {**step.attrs, "axis": tuple(axes[axis] for axis in reduced) + tuple(work.left_out(value))}
    work.steps.append(replace(step, inputs=(source,), attrs=attrs))
    return True


_RULES = {
    "transpose": _transpose,
    "reshape": _unit_axes,
    "concatenate": _past_concatenation,
    "normalization": _past_normalization,
}


def sink_layouts(graph: Graph) -> Graph:
    """The graph with changes of layout moved behind what they can pass, and inverse pairs gone."""
    if not any(step.op.name == "transpose" or "plan" in step.attrs for step in graph.steps):
        return graph
    work = _Sinking(graph)
    for step in graph.steps:
        work.handle(step)
    bench = work.bench
    rewritten = replace(graph, steps=tuple(work.steps), specs=bench.specs, constants=bench.constants)
    return rewritten.substituted(work.names)
