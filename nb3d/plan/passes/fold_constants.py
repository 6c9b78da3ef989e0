"""Steps on nothing but constants are computed once, when the plan is made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nb3d.engine.contexts import inside_call
from nb3d.ops.apply import apply
from nb3d.plan.graph import Graph, Step


def fold_constants(graph: Graph) -> Graph:
    """The graph with such steps replaced by their results."""
    constants = dict(graph.constants)
    kept: list[Step] = []
    for step in graph.steps:
        if not step.op.stateful and all(value in constants for value in step.operands()):
            operands = [None if value is None else constants[value] for value in step.inputs]
            with inside_call(symbolic=False):
                constants[step.output] = np.asarray(apply(step.op, *operands, **step.attrs))
        else:
            kept.append(step)
    return replace(graph, steps=tuple(kept), constants=constants)
