"""BatchNormalization with known statistics becomes part of the weights of the convolution before it.

``scale * (conv(x, w) + b - mean) / sqrt(var + eps) + offset  ==  conv(x, w * f) + (b - mean) * f + offset`` with
``f = scale / sqrt(var + eps)`` per output channel.
"""

from __future__ import annotations

import numpy as np

from nb3d.plan.graph import Graph, Step
from nb3d.plan.passes.pattern import BIAS_OPERAND, Rewriting, epilogue, swallow, with_operand

# Where the output channels stand in the kernel.
_FILTER_AXIS = {"conv3d": 4, "conv3d_transpose": 3, "dense": 1}


def _match(graph: Rewriting, producer: Step, consumer: Step) -> Step | None:
    x, *statistics = consumer.inputs
    rank = len(graph.shape(producer.output))
    known = all(value is None or value in graph.constants for value in statistics)
    if x != producer.output or not known or consumer.attrs["axis"] not in (-1, rank - 1):
        return None
    kernel, bias = producer.inputs[1], producer.inputs[2]
    if kernel is None or kernel not in graph.constants or (bias is not None and bias not in graph.constants):
        return None
    if epilogue(producer)[0] != 0 or any(value is not None for value in producer.inputs[3:]):
        return None
    weights = graph.constants[kernel]
    mean, variance, offset, scale = (
        np.zeros(()) if value is None else graph.constants[value].astype("float64") for value in statistics
    )
    factor = (scale if statistics[3] is not None else 1.0) / np.sqrt(variance + consumer.attrs["epsilon"])
    shape = [1] * weights.ndim
    shape[_FILTER_AXIS[producer.op.name]] = -1
    shift = (0.0 if bias is None else graph.constants[bias].astype("float64")) - mean
    folded = shift * factor + offset
    new_kernel = graph.add_constant((weights * factor.reshape(shape)).astype(weights.dtype))
    new_bias = graph.add_constant(folded.astype(weights.dtype))
    return with_operand(with_operand(producer, 1, new_kernel), BIAS_OPERAND[producer.op.name], new_bias)


def fold_batch_normalization(graph: Graph) -> Graph:
    """The graph with such normalizations merged into the convolution or matrix product."""
    return swallow(graph, ("batch_normalization",), BIAS_OPERAND, _match)
