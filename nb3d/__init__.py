"""nb3d: Keras' functional API for 3D convolutional networks, on NumPy and Numba alone.

``import nb3d as keras`` runs ordinary functional 3D code: build a graph from `Input` and `layers`, or load one that
Keras saved; inspect how it is wired; predict on a CPU or a CUDA GPU.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nb3d import (
    activations,
    backend,
    config,
    constraints,
    initializers,
    inspect,
    layers,
    models,
    ops,
    regularizers,
    utils,
)
from nb3d.engine.contexts import Graph, eager_mode, get_default_graph
from nb3d.engine.input_spec import InputSpec
from nb3d.engine.tensor import KerasTensor
from nb3d.engine.variable import Variable
from nb3d.kernels.devices import devices
from nb3d.layers import Input, Layer
from nb3d.models import Model, Sequential
from nb3d.models.files import connect_when_needed
from nb3d.models.warmup import warmup
from nb3d.plan.function import Function, function
from nb3d.version import __version__

if TYPE_CHECKING:
    from nb3d import saving
    from nb3d.kernels.cuda.exchange import DeviceArray

__all__ = [
    "DeviceArray",
    "Function",
    "Graph",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Model",
    "Sequential",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "config",
    "constraints",
    "devices",
    "eager_mode",
    "function",
    "get_default_graph",
    "initializers",
    "inspect",
    "layers",
    "models",
    "ops",
    "regularizers",
    "saving",
    "utils",
    "warmup",
]


def __getattr__(name: str) -> Any:
    """`nb3d.saving`, which is loaded when somebody asks for it or comes with a file, and what belongs to GPUs."""
    if name == "saving":
        return import_module("nb3d.saving")
    if name == "DeviceArray":
        return import_module("nb3d.kernels.cuda.exchange").DeviceArray
    raise AttributeError(f"module 'nb3d' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


connect_when_needed(lambda: import_module("nb3d.saving"))
