"""A sum of a convolution and a tensor of the same shape is added while the convolution writes its result."""

from __future__ import annotations

from nb3d.plan.graph import Graph, Step
from nb3d.plan.passes.pattern import RESIDUAL_OPERAND, Rewriting, is_free, swallow, with_operand


def _match(graph: Rewriting, producer: Step, consumer: Step) -> Step | None:
    position = RESIDUAL_OPERAND[producer.op.name]
    others = [value for value in consumer.operands() if value != producer.output]
    if len(others) != 1 or not is_free(producer, position):
        return None
    if graph.specs[others[0]] != graph.specs[producer.output]:
        return None
    return with_operand(producer, position, others[0])


def fuse_residual(graph: Graph) -> Graph:
    """The graph with such sums merged into the convolution."""
    return swallow(graph, ("add",), RESIDUAL_OPERAND, _match)
