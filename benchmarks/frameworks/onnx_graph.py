"""A network as an ONNX model: channels first, as that format has it."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from benchmarks.networks import INPUT, Array, Network, Step, paddings


def build(network: Network) -> ModelProto:
    """The model, with its weights."""
    weights, shapes = network.weights(), network.shapes()
    nodes, constants = [], []
    for step in network.steps:
        arrays = [_first_channels(step, i, array) for i, array in enumerate(weights.get(step.name, []))]
        names = [f"{step.name}_{i}" for i in range(len(arrays))]
        constants += [numpy_helper.from_array(array, name) for array, name in zip(arrays, names, strict=True)]
        nodes.append(_node(step, shapes[step.inputs[0]], [*step.inputs, *names]))
    ends = [[_value(name, shapes[name])] for name in (INPUT, network.steps[-1].name)]
    graph = helper.make_graph(nodes, "network", *ends, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model


def channels_first(volume: Array) -> Array:
    """A volume in ONNX' layout."""
    return np.ascontiguousarray(np.moveaxis(volume, -1, 1))


def channels_last(volume: Array) -> Array:
    """A volume in nb3d's layout."""
    return np.ascontiguousarray(np.moveaxis(volume, 1, -1))


def _first_channels(step: Step, index: int, array: Array) -> Array:
    """Kernels become ``(out, in, kd, kh, kw)``, those of transposed convolutions ``(in, out, kd, kh, kw)``."""
    is_kernel = index == 0 and step.op in {"conv", "up"}
    return np.ascontiguousarray(array.transpose(4, 3, 0, 1, 2)) if is_kernel else array


def _value(name: str, shape: tuple[int, ...]) -> object:
    batch, *sides, channels = shape
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, channels, *sides])


def _node(step: Step, shape: tuple[int, ...], inputs: list[str]) -> NodeProto:
    def node(kind: str, **attributes: object) -> NodeProto:
        return helper.make_node(kind, inputs, [step.name], name=step.name, **attributes)

    match step.op:
        case "conv":
            pairs = paddings(step, shape)
            pads = [before for before, _ in pairs] + [behind for _, behind in pairs]
            window = {"kernel_shape": step.kernel, "strides": step.strides, "dilations": step.dilation, "pads": pads}
            return node("Conv", group=step.groups, **window)
        case "up":
            return node("ConvTranspose", kernel_shape=[2, 2, 2], strides=[2, 2, 2])
        case "norm":
            return node("BatchNormalization", epsilon=1e-3)
        case "relu":
            return node("Relu")
        case "sigmoid":
            return node("Sigmoid")
        case "pool":
            return node("MaxPool", kernel_shape=[2, 2, 2], strides=[2, 2, 2])
        case "concat":
            return node("Concat", axis=1)
    raise ValueError(f"Unknown step {step.op!r}.")
