"""OpenVINO, tuned for latency, in a precision of choice."""

from __future__ import annotations

import openvino

from benchmarks.frameworks import Prepared, channels_first, onnx_graph
from benchmarks.networks import Network


def prepare(network: Network, threads: int, precision: str) -> Prepared:
    """A compiled model and one request; ``precision`` is ``f32`` or ``bf16``, inputs and outputs are float32."""
    settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    core = openvino.Core()
    model = core.read_model(onnx_graph.build(network).SerializeToString())
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(channels_first.volume(network)))

    def run() -> openvino.InferRequest:
        request.infer()
        return request

    return Prepared(run, lambda done: channels_first.channels_last(done.get_output_tensor().data.copy()))


def version() -> str:
    """OpenVINO's version."""
    return str(openvino.__version__).split("-")[0]
