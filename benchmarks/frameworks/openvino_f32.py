"""OpenVINO, tuned for latency, computing in float32 as everyone else here does."""

from __future__ import annotations

import openvino

from benchmarks.frameworks import Prepared, onnx_graph
from benchmarks.networks import Network


def prepare(network: Network, threads: int) -> Prepared:
    """A compiled model and one request."""
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    core = openvino.Core()
    model = core.read_model(onnx_graph.build(network).SerializeToString())
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(onnx_graph.channels_first(network.volume())))

    def run() -> openvino.InferRequest:
        request.infer()
        return request

    return Prepared(run, lambda done: onnx_graph.channels_last(done.get_output_tensor().data.copy()))


def version() -> str:
    """OpenVINO's version."""
    return str(openvino.__version__).split("-")[0]
