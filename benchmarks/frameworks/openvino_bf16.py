"""OpenVINO in bfloat16: half the memory traffic, and twice the multiplications at once where the processor has them."""

from __future__ import annotations

from benchmarks.frameworks import Prepared, openvino_cpu
from benchmarks.frameworks.openvino_cpu import version
from benchmarks.networks import Network

__all__ = ["prepare", "version"]


def prepare(network: Network, threads: int) -> Prepared:
    """A compiled model and one request."""
    return openvino_cpu.prepare(network, threads, "bf16")
