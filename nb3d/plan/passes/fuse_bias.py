"""A constant added per channel becomes the bias of the convolution before it."""

from __future__ import annotations

from nb3d.plan.graph import Graph, Step
from nb3d.plan.passes.pattern import BIAS_OPERAND, Rewriting, is_free, per_channel, swallow, with_operand


def _match(graph: Rewriting, producer: Step, consumer: Step) -> Step | None:
    position = BIAS_OPERAND[producer.op.name]
    if not is_free(producer, position) or graph.specs[producer.output] != graph.specs[consumer.output]:
        return None
    if len(producer.inputs) > position + 1 and producer.inputs[position + 1] is not None:
        return None  # a residual is added already
    other = next((value for value in consumer.operands() if value != producer.output), None)
    bias = per_channel(graph, other, graph.shape(producer.output)[-1])
    if bias is None:
        return None
    return with_operand(producer, position, graph.add_constant(bias))


def fuse_bias(graph: Graph) -> Graph:
    """The graph with such additions merged into the convolution or matrix product."""
    return swallow(graph, ("add",), BIAS_OPERAND, _match)
