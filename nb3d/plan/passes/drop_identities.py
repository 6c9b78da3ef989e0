"""Steps that change nothing are left out: names of layers' outputs, casts to the same dtype, transposes of nothing."""

from __future__ import annotations

from dataclasses import replace

from nb3d.plan.graph import Graph, Step, ValueId


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
    """The graph without steps whose result is their operand; a step takes the name of the layer that returns it."""
    names: dict[ValueId, ValueId] = {}
    labels: dict[ValueId, str] = {}
    for step in graph.steps:
        source = step.inputs[0] if _is_identity(step, graph) else None
        if source is not None:
            names[step.output] = names.get(source, source)
            labels.setdefault(names[step.output], step.label)
    kept = (step for step in graph.steps if step.output not in names)
    steps = tuple(replace(step, label=step.label or labels.get(step.output, "")) for step in kept)
    return replace(graph, steps=steps).substituted(names)
