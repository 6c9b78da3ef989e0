"""An elementwise activation is applied while the convolution or normalization before it writes its result."""

from __future__ import annotations

from dataclasses import replace

from nb3d.kernels.activations import Activation
from nb3d.plan.graph import Graph, Step
from nb3d.plan.passes.pattern import BIAS_OPERAND, NORMALIZATIONS, Rewriting, epilogue, swallow

ACTIVATIONS = tuple(code.name.lower() for code in Activation if code is not Activation.LINEAR)


def _match(graph: Rewriting, producer: Step, consumer: Step) -> Step | None:
    if epilogue(producer)[0] != Activation.LINEAR:
        return None
    code = Activation[consumer.op.name.upper()]
    write_out = (int(code), consumer.attrs.get("alpha", 0.0), consumer.attrs.get("beta", 0.0))
    return replace(producer, attrs={**producer.attrs, "epilogue": write_out})


def fuse_activation(graph: Graph) -> Graph:
    """The graph with such activations merged into the convolution, matrix product or normalization."""
    return swallow(graph, ACTIVATIONS, (*BIAS_OPERAND, *NORMALIZATIONS), _match)
