"""OpenVINO, computing in float32 as everyone else here does."""

from __future__ import annotations

from benchmarks.frameworks import Prepared, openvino_cpu
from benchmarks.frameworks.openvino_cpu import version
from benchmarks.networks import Network

__all__ = ["prepare", "version"]


def prepare(network: Network, threads: int) -> Prepared:
    """A compiled model and one request."""
    return openvino_cpu.prepare(network, threads, "f32")
