"""Functions of TensorFlow that Keras 2 made layers of, ``TFOpLambda``, as the operations of Keras 3.

Those are functions called on symbolic tensors, and operators: ``x * 0.5`` is a layer ``tf.math.multiply``. Their names
are looked up in the tables of this file and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nb3d.models.arguments import tagged

_SLICING = "SlicingOpLambda"
CLASSES = frozenset({"TFOpLambda", _SLICING})
_CONSTANT = "_CONSTANT_VALUE"  # stands where a layer's name would


@dataclass(frozen=True)
class _Function:
    """The operation that stands for a function.

    Attributes:
        class_name: The operation.
        operands: The arguments behind the first one that are operands too.
        words: Argument of the function -> that of the operation.
        defaults: Arguments of the operation where the function is given none.
        neutral: Arguments that the operation lacks, with the values that change nothing.
        joins: Whether the first argument is a list of tensors.
    """

    class_name: str
    operands: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    neutral: Mapping[str, Any] = field(default_factory=dict)
    joins: bool = False


_ONE = {
    "math.abs": "Absolute", "math.ceil": "Ceil", "math.erf": "Erf", "math.exp": "Exp", "math.floor": "Floor",
    "math.log": "Log", "math.logical_not": "LogicalNot", "math.negative": "Negative", "math.rsqrt": "Rsqrt",
    "math.sigmoid": "Sigmoid", "math.sign": "Sign", "math.softplus": "Softplus", "math.sqrt": "Sqrt",
    "math.square": "Square", "math.tanh": "Tanh", "nn.elu": "Elu", "nn.relu": "Relu", "nn.relu6": "Relu6",
    "nn.selu": "Selu", "nn.sigmoid": "Sigmoid", "nn.softplus": "Softplus", "nn.softsign": "Softsign", "nn.tanh": "Tanh",
}  # fmt: skip
_TWO = {
    "__operators__.add": "Add", "math.add": "Add", "math.divide": "TrueDivide", "math.equal": "Equal",
    "math.floordiv": "FloorDivide", "math.greater": "Greater", "math.greater_equal": "GreaterEqual",
    "math.less": "Less", "math.less_equal": "LessEqual", "math.logical_and": "LogicalAnd",
    "math.logical_or": "LogicalOr", "math.maximum": "Maximum", "math.minimum": "Minimum",
    "math.multiply": "Multiply", "math.not_equal": "NotEqual", "math.pow": "Power", "math.subtract": "Subtract",
    "math.truediv": "TrueDivide",
}  # fmt: skip
_REDUCTIONS = {
    "math.reduce_all": "All", "math.reduce_any": "Any", "math.reduce_max": "Max", "math.reduce_mean": "Mean",
    "math.reduce_min": "Min", "math.reduce_prod": "Prod", "math.reduce_sum": "Sum", "math.reduce_variance": "Var",
}  # fmt: skip
_OVER_AXES = {"axis": "axis", "keepdims": "keepdims"}
_ALONG = {"axis": "axis"}
_OTHERS = {
    "cast": _Function("Cast", words={"dtype": "dtype"}),
    "clip_by_value": _Function("Clip", words={"clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "concat": _Function("Concatenate", words=_ALONG, joins=True),
    "expand_dims": _Function("ExpandDims", words=_ALONG),
    "linalg.matmul": _Function("Matmul", ("b",), neutral={
        "transpose_a": False, "transpose_b": False, "adjoint_a": False, "adjoint_b": False, "a_is_sparse": False,
        "b_is_sparse": False, "output_type": None, "grad_a": False, "grad_b": False,
    }),
    "math.argmax": _Function("Argmax", words=_ALONG, defaults={"axis": 0}, neutral={"output_type": "int64"}),
    "nn.gelu": _Function("Gelu", words={"approximate": "approximate"}, defaults={"approximate": False}),
    "nn.leaky_relu": _Function("LeakyRelu", words={"alpha": "negative_slope"}),
    "nn.log_softmax": _Function("LogSoftmax", words=_ALONG),
    "nn.silu": _Function("Silu", neutral={"beta": 1.0}),
    "nn.softmax": _Function("Softmax", words=_ALONG),
    "nn.swish": _Function("Silu", neutral={"beta": 1.0}),
    "reshape": _Function("Reshape", words={"shape": "newshape"}),
    "squeeze": _Function("Squeeze", words=_ALONG),
    "stack": _Function("Stack", words=_ALONG, joins=True),
    "tile": _Function("Tile", words={"multiples": "repeats"}),
    "transpose": _Function("Transpose", words={"perm": "axes"}, neutral={"conjugate": False}),
    "where": _Function("Where", ("x", "y")),
}  # fmt: skip
_FUNCTIONS = (
    {name: _Function(class_name) for name, class_name in _ONE.items()}
    | {name: _Function(class_name, ("y",)) for name, class_name in _TWO.items()}
    | {name: _Function(class_name, words=_OVER_AXES) for name, class_name in _REDUCTIONS.items()}
    | _OTHERS
)


def translated(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A layer that stands for a function of TensorFlow, as an operation of Keras 3.

    Raises:
        ValueError: If nb3d has no operation for it, or it was called with what the operation lacks.
    """
    config = entry.get("config")
    values = config if isinstance(config, Mapping) else {}
    name = entry.get("name") or values.get("name")
    where = f"Layer {name!r:.80} ({entry['class_name']})"
    wanted = str(values.get("function")).removeprefix("compat.v1.")
    slicing = entry["class_name"] == _SLICING
    function = _FUNCTIONS.get(wanted)
    if function is None and not slicing:
        raise ValueError(
            f"{where}: nb3d has no operation for TensorFlow's function {wanted!r:.80}. Build the network with a layer "
            "of your own in its place, written with nb3d.ops, and take the weights with load_weights(by_name=True)."
        )
    nodes = entry.get("inbound_nodes")
    calls = []
    for node in nodes if isinstance(nodes, list) else []:
        try:
            operand, keywords = _operand(node, function is not None and function.joins)
            calls.append(_sliced(operand, keywords) if function is None else _called(function, operand, keywords))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ValueError(f"{where}: its call {node!r:.200} is not understood: {error}") from error
    class_name = "GetItem" if function is None else function.class_name
    return {"class_name": class_name, "config": {"name": name}, "name": name, "inbound_nodes": calls}


def _operand(node: Any, joins: bool) -> tuple[Any, dict[str, Any]]:
    """The first argument of a call, and its keyword arguments."""
    parts = [node] if isinstance(node[0], str) else node
    tensors = [part[2] if part[0] == _CONSTANT else tagged(part[:3]) for part in parts]
    keywords = {key: value for key, value in (parts[0][3] if len(parts[0]) > 3 else {}).items() if key != "name"}
    if not joins and len(tensors) != 1:
        raise ValueError(f"expected one tensor, got {len(tensors)}")
    return (tensors if joins else tensors[0]), keywords


def _called(function: _Function, operand: Any, keywords: dict[str, Any]) -> dict[str, Any]:
    operands = [operand, *(_constant(keywords.pop(key)) for key in function.operands)]
    arguments = dict(function.defaults)
    for key, value in keywords.items():
        if key in function.words:
            arguments |= {} if value is None else {function.words[key]: tagged(value)}
        elif key not in function.neutral or value not in (None, function.neutral[key]):
            raise ValueError(f"the argument {key!r} = {value!r:.80} is unknown")
    return {"args": operands, "kwargs": arguments}


def _constant(value: Any) -> Any:
    """An operand: a tensor, a number, or a list of numbers, which is an array."""
    if isinstance(value, list) and value and value[0] == _CONSTANT:
        value = value[2]
    known = tagged(value)
    if isinstance(known, list):
        numbers = np.asarray(known, "float32").tolist()
        return {"class_name": "__numpy__", "config": {"value": numbers, "dtype": "float32"}}
    return known


def _sliced(operand: Any, keywords: dict[str, Any]) -> dict[str, Any]:
    spec = keywords["slice_spec"]
    keys = [_key(item) for item in (spec if isinstance(spec, list) else [spec])]
    return {"args": [operand, keys], "kwargs": {}}


def _key(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    if "class_name" in item:
        return {"class_name": item["class_name"], "config": {}}
    return {"class_name": "__slice__", "config": {part: item[part] for part in ("start", "stop", "step")}}
