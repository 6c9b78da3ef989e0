"""One file per framework: how it builds a network, and how it runs it as fast as it can.

Each offers ``prepare(network, threads) -> Prepared`` and ``version() -> str``, and sees to its own layout outside the
timed part. A step that a framework does not have raises NotImplementedError.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import numpy as np

from benchmarks.networks import Array, Network


class Entry(NamedTuple):
    """A framework in the tables.

    Attributes:
        module: The file that drives it.
        is_float32: Whether it computes as exactly as everybody else. If not, it runs whole networks only, and is not
            among the peers of which the fastest counts.
    """

    module: str
    is_float32: bool = True

    def difference(self, got: Array, expected: Array) -> float:
        """How far its output is from nb3d's: the largest difference relative to the largest value.

        In bfloat16, whose 8 bits of mantissa make every value between two layers wrong by up to 1/512, single voxels
        say little: there it is the root of the mean square of both.
        """
        if got.shape != expected.shape or not np.isfinite(got).all():
            return math.inf
        wrong = got - expected
        if self.is_float32:
            return float(np.abs(wrong).max() / np.abs(expected).max())
        return float(np.linalg.norm(wrong) / np.linalg.norm(expected))

    @property
    def tolerance(self) -> float:
        """The difference up to which it has done the same work."""
        return 1e-3 if self.is_float32 else 5e-2


# What the results call a framework; the first is the one that the others are compared with.
FRAMEWORKS = {
    "nb3d": Entry("nb3d_cpu"),
    "PyTorch": Entry("pytorch"),
    "ONNX Runtime": Entry("onnx_runtime"),
    "OpenVINO f32": Entry("openvino_f32"),
    "TensorFlow": Entry("tensorflow_cpu"),
    "OpenVINO bf16": Entry("openvino_bf16", is_float32=False),
}
OURS = next(iter(FRAMEWORKS))


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
    framework: Framework = import_module(f"benchmarks.frameworks.{FRAMEWORKS[name].module}")
    return framework
