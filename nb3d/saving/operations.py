"""Operations as Keras 3 writes them: the module of each, and which arguments its constructor takes."""

from __future__ import annotations

import inspect
from typing import Any

from nb3d.engine.node import Node, symbolic_leaves
from nb3d.saving.errors import ModelFileError

# Module -> class -> arguments that stand in its configuration; all others are arguments of its call.
_MODULES: dict[str, dict[str, str]] = {
    "keras.src.ops.core": {"Cast": "dtype"},
    "keras.src.ops.math": {"Erf": "", "Rsqrt": ""},
    "keras.src.ops.nn": {
        "AveragePool": "pool_size strides padding data_format",
        "BatchNorm": "axis epsilon",
        "Celu": "alpha",
        "Conv": "strides padding data_format dilation_rate",
        "ConvTranspose": "strides padding output_padding data_format dilation_rate",
        "Elu": "alpha",
        "Gelu": "approximate",
        "Glu": "axis",
        "HardShrink": "threshold",
        "HardSigmoid": "",
        "HardSilu": "",
        "HardTanh": "",
        "LayerNorm": "axis epsilon",
        "LeakyRelu": "negative_slope",
        "LogSigmoid": "",
        "LogSoftmax": "axis",
        "MaxPool": "pool_size strides padding data_format",
        "Normalize": "axis order epsilon",
        "RMSNorm": "axis epsilon",
        "Relu": "",
        "Relu6": "",
        "Selu": "",
        "Sigmoid": "",
        "Silu": "",
        "SoftShrink": "threshold",
        "Softmax": "axis",
        "Softplus": "",
        "Softsign": "",
        "SparsePlus": "",
        "SparseSigmoid": "",
        "Squareplus": "b",
        "TanhShrink": "",
        "Threshold": "threshold default_value",
    },
    "keras.src.ops.numpy": {
        "Absolute": "",
        "Add": "",
        "All": "axis keepdims",
        "Any": "axis keepdims",
        "Argmax": "axis",
        "Argmin": "axis",
        "BroadcastTo": "shape",
        "Ceil": "",
        "Clip": "x_min x_max",
        "Concatenate": "axis",
        "Cos": "",
        "Divide": "",
        "Equal": "",
        "Exp": "",
        "ExpandDims": "axis",
        "Expm1": "",
        "Floor": "",
        "FloorDivide": "",
        "GetItem": "",
        "Greater": "",
        "GreaterEqual": "",
        "Isfinite": "",
        "Isinf": "",
        "Isnan": "",
        "Less": "",
        "LessEqual": "",
        "Log": "",
        "Log1p": "",
        "LogicalAnd": "",
        "LogicalNot": "",
        "LogicalOr": "",
        "Matmul": "",
        "Max": "axis keepdims",
        "Maximum": "",
        "Mean": "axis keepdims",
        "Min": "axis keepdims",
        "Minimum": "",
        "Mod": "",
        "Multiply": "",
        "Negative": "",
        "NotEqual": "",
        "Power": "",
        "Prod": "axis keepdims",
        "Reciprocal": "",
        "Reshape": "newshape",
        "Round": "",
        "Sign": "",
        "Sin": "",
        "Sqrt": "",
        "Square": "",
        "Squeeze": "axis",
        "Stack": "axis",
        "Subtract": "",
        "Sum": "axis keepdims",
        "Tanh": "",
        "Transpose": "axes",
        "TrueDivide": "",
        "Var": "axis keepdims",
        "Where": "",
    },
}
_MODULE_OF = {name: module for module, classes in _MODULES.items() for name in classes}


def module_of(class_name: str, layer: str) -> str:
    """The module of an operation's class.

    Raises:
        ModelFileError: If Keras 3 has no such operation.
    """
    if class_name not in _MODULE_OF:
        problem = f"Keras has no operation {class_name!r} for a file to name; use it in the call of a layer of your own"
        raise ModelFileError(problem, layer=layer)
    return _MODULE_OF[class_name]


def split_arguments(operation: Any, node: Node) -> tuple[dict[str, Any], list[Any]]:
    """The arguments of an operation's call: those of Keras' constructor by name, and those of its call in order.

    Raises:
        ModelFileError: If one is neither, and not what it would be without being given.
    """
    signature = inspect.signature(operation.function)
    bound = signature.bind(*node.call_args, **node.arguments)
    bound.apply_defaults()
    names = _MODULES[module_of(operation.class_name, operation.name)][operation.class_name].split()
    config, call = {}, []
    for name, value in bound.arguments.items():
        default = signature.parameters[name].default
        if name in names:
            config[name] = value
        elif default is inspect.Parameter.empty or symbolic_leaves(value):
            call.append(value)
        elif value != default:
            problem = f"Keras' {operation.class_name} has no argument {name!r}"
            raise ModelFileError(problem, layer=operation.name, expected=default, got=value)
    return config, call
