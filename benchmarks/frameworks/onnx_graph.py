"""A network as an ONNX model: channels first, as that format has it."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from benchmarks.frameworks import channels_first
from benchmarks.networks import EPSILON, INPUT, NEGATIVE_SLOPE, Network, Shape, Step, paddings

# Steps that are nodes without attributes.
_PLAIN = {"relu": "Relu", "sigmoid": "Sigmoid", "add": "Add"}
_RESIZED = frozenset({"nearest", "linear"})


def build(network: Network, has_groups: bool = True) -> ModelProto:
    """The model, with its weights.

    Args:
        network: What to build.
        has_groups: Whether group normalization shall be one node; if not, it is written with instance normalization.
    """
    weights, shapes = channels_first.weights(network), network.shapes()
    nodes, constants = [], []
    for step in network.steps:
        source = shapes[step.inputs[0]]
        arrays = weights.pop(step.name, [])
        names = [f"{step.name}_{i}" for i in range(len(arrays))]
        constants += [numpy_helper.from_array(array, name) for array, name in zip(arrays, names, strict=True)]
        by_instances = step.op == "group_norm" and step.groups != -1 and not has_groups
        nodes += (_groups_by_instances if by_instances else _nodes)(step, source, [*step.inputs, *names])
    if any(step.op in _RESIZED for step in network.steps):
        constants.append(numpy_helper.from_array(np.array([1, 1, 2, 2, 2], np.float32), "doubled"))
    ends = [[_value(name, shapes[name])] for name in (INPUT, network.output)]
    graph = helper.make_graph(nodes, "network", *ends, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    model.ir_version = 10
    return model


def _value(name: str, shape: Shape) -> object:
    batch, *sides, channels = shape
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, channels, *sides])


def _nodes(step: Step, source: Shape, inputs: list[str]) -> list[NodeProto]:
    def node(kind: str, **attributes: object) -> list[NodeProto]:
        return [helper.make_node(kind, inputs, [step.name], name=step.name, **attributes)]

    def flattened(kinds: tuple[str, str], source: str, *more: str, **attributes: object) -> list[NodeProto]:
        """Two nodes, one of them Flatten."""
        between = f"{step.name}_between"
        return [
            helper.make_node(kinds[0], [source], [between], name=between),
            helper.make_node(kinds[1], [between, *more], [step.name], name=step.name, **attributes),
        ]

    pads = [voxels for side in zip(*paddings(step, source), strict=True) for voxels in side] if len(source) == 5 else []
    window = {"kernel_shape": step.kernel, "strides": step.strides, "pads": pads}
    match step.op:
        case "conv":
            return node("Conv", group=step.groups, dilations=step.dilation, **window)
        case "up":
            return node("ConvTranspose", kernel_shape=[2, 2, 2], strides=[2, 2, 2])
        case "dense":
            return flattened(("Flatten", "Gemm"), *inputs, transB=1)
        case "global_average":
            return flattened(("GlobalAveragePool", "Flatten"), *inputs)
        case "batch_norm":
            return node("BatchNormalization", epsilon=EPSILON)
        case "group_norm" if step.groups == -1:
            return node("InstanceNormalization", epsilon=EPSILON)
        case "group_norm":
            return node("GroupNormalization", epsilon=EPSILON, num_groups=step.groups)
        case "leaky_relu":
            return node("LeakyRelu", alpha=NEGATIVE_SLOPE)
        case "softmax":
            return node("Softmax", axis=1)
        case "max_pool":
            return node("MaxPool", **window)
        case "average_pool":
            return node("AveragePool", **window)
        case "nearest" | "linear":
            inputs = [*inputs, "", "doubled"]
            rule = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            return node("Resize", mode=step.op, **(rule if step.op == "nearest" else {}))
        case "concat":
            return node("Concat", axis=1)
        case op if op in _PLAIN:
            return node(_PLAIN[op])
    raise ValueError(f"Unknown step {step.op!r}.")


def _groups_by_instances(step: Step, source: Shape, inputs: list[str]) -> list[NodeProto]:
    """Group normalization of a volume whose groups lie as rows, then scale and offset of every channel."""
    batch, *sides, channels = source
    x, scale, offset = inputs
    constants = {
        "one": np.ones(step.groups, np.float32), "zero": np.zeros(step.groups, np.float32),
        "rows": np.array([batch, step.groups, -1]), "back": np.array([batch, channels, *sides]),
        "each": np.array([channels, 1, 1, 1]),
    }  # fmt: skip
    own = f"{step.name}_{{}}".format
    values = {word: numpy_helper.from_array(array) for word, array in constants.items()}
    nodes = [helper.make_node("Constant", [], [own(word)], value=value) for word, value in values.items()]
    nodes += [
        helper.make_node("Reshape", [x, own("rows")], [own("split")]),
        helper.make_node(
            "InstanceNormalization", [own("split"), own("one"), own("zero")], [own("normal")], epsilon=EPSILON
        ),
        helper.make_node("Reshape", [own("normal"), own("back")], [own("whole")]),
        helper.make_node("Reshape", [scale, own("each")], [own("scales")]),
        helper.make_node("Mul", [own("whole"), own("scales")], [own("scaled")]),
        helper.make_node("Reshape", [offset, own("each")], [own("offsets")]),
        helper.make_node("Add", [own("scaled"), own("offsets")], [step.name]),
    ]
    return nodes
