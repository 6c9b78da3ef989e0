"""ONNX Runtime, all graph optimizations on."""

from __future__ import annotations

import onnxruntime

from benchmarks.frameworks import Prepared, channels_first, onnx_graph
from benchmarks.networks import INPUT, Network


def prepare(network: Network, threads: int) -> Prepared:
    """A session on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # It takes GroupNormalization apart into means and differences, which takes twice as long as InstanceNormalization.
    model = onnx_graph.build(network, has_groups=False).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {INPUT: channels_first.volume(network)}
    return Prepared(lambda: session.run(None, feed)[0], channels_first.channels_last)


def version() -> str:
    """ONNX Runtime's version."""
    return str(onnxruntime.__version__)
