"""Steps that change nothing are left out: names of layers' outputs, casts to the same dtype, transposes of nothing."""

from __future__ import annotations

from dataclasses import replace

from nb3d.plan.graph import Graph, Step


def _is_identity(step: Step, graph: Graph) -> bool:
    source = step.inputs[0] if step.inputs else None
    if source is None:
        return False
    if step.op.name in ("identity", "linear"):
        return True
    same = graph.specs[source] == graph.specs[step.output]
    if step.op.name in ("cast", "reshape", "broadcast_to"):
        return same
    if step.op.name == "concatenate":
        return len(step.inputs) == 1
    return step.op.name == "transpose" and step.attrs["axes"] == tuple(range(len(step.attrs["axes"])))


def drop_identities(graph: Graph) -> Graph:
    """The graph without steps whose result is their operand."""
    names = {step.output: step.inputs[0] for step in graph.steps if _is_identity(step, graph)}
    kept = tuple(step for step in graph.steps if step.output not in names)
    return replace(graph, steps=kept).substituted({old: new for old, new in names.items() if new is not None})
