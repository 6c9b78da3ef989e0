"""ONNX Runtime, all graph optimizations on."""

from __future__ import annotations

import onnxruntime

from benchmarks.frameworks import Prepared, onnx_graph
from benchmarks.networks import INPUT, Network


def prepare(network: Network, threads: int) -> Prepared:
    """A session on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    model = onnx_graph.build(network).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {INPUT: onnx_graph.channels_first(network.volume())}
    return Prepared(lambda: session.run(None, feed)[0], onnx_graph.channels_last)


def version() -> str:
    """ONNX Runtime's version."""
    return str(onnxruntime.__version__)
