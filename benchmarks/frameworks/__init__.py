"""One file per framework: how it builds a network, and how it runs it as fast as it can.

Each offers ``prepare(network, threads) -> Prepared`` and ``version() -> str``, and sees to its own layout outside the
timed part.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from benchmarks.networks import Array, Network

# What the results call a framework -> the file that drives it; the first is the one that the others are compared with.
FRAMEWORKS = {
    "nb3d": "nb3d_cpu",
    "PyTorch": "pytorch",
    "ONNX Runtime": "onnx_runtime",
    "OpenVINO f32": "openvino_f32",
    "TensorFlow": "tensorflow_cpu",
}


class Prepared(NamedTuple):
    """A network ready to run on its input.

    Attributes:
        run: Runs it once; this is what is timed.
        result: Turns what `run` returned into a channels-last array.
    """

    run: Callable[[], Any]
    result: Callable[[Any], Array]


class Framework(Protocol):
    """What each file of this folder offers."""

    def prepare(self, network: Network, threads: int) -> Prepared:
        """Builds a network with its weights and input."""

    def version(self) -> str:
        """The framework's version."""


def load(name: str) -> Framework:
    """Imports a framework by the name that the results give it."""
    framework: Framework = import_module(f"benchmarks.frameworks.{FRAMEWORKS[name]}")
    return framework
