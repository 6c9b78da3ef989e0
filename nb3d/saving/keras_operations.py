"""The operations of Keras 3 that nb3d has: the module of each, and which arguments its constructor takes."""

from __future__ import annotations

# Module -> operations whose constructor takes no arguments: all belong to the call.
_PLAIN = {
    "keras.src.ops.core": ("StopGradient "),
    "keras.src.ops.math": ("Erf Rsqrt "),
    "keras.src.ops.nn": (
        "HardSigmoid HardSilu HardTanh LogSigmoid Relu Relu6 Selu Sigmoid Silu Softplus Softsign SparsePlus "
        "SparseSigmoid TanhShrink "
    ),
    "keras.src.ops.numpy": (
        "Absolute Add Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh Cbrt Ceil Copy Cos Cosh Divide "
        "DivideNoNan Dot Equal Exp Exp2 Expm1 Floor FloorDivide GetItem Greater GreaterEqual Hstack Hypot Inner "
        "Isfinite Isinf Isnan Less LessEqual Log Log10 Log1p Log2 Logaddexp LogicalAnd LogicalNot LogicalOr "
        "LogicalXor Matmul Maximum Minimum Mod Multiply Negative NotEqual Outer Power Ravel Reciprocal Sign Sin "
        "Sinh Sqrt Square Subtract Tan Tanh TrueDivide Trunc Vstack Where "
    ),
}

# Module -> operation -> arguments that stand in its configuration; all others are arguments of its call.
_WITH_ARGUMENTS: dict[str, dict[str, str]] = {
    "keras.src.ops.core": {
        "Cast": "dtype",
        "ConvertToTensor": "dtype sparse ragged",
        "Unstack": "num axis",
    },
    "keras.src.ops.linalg": {
        "Norm": "ord axis keepdims",
    },
    "keras.src.ops.math": {
        "Logsumexp": "axis keepdims",
        "TopK": "k sorted",
    },
    "keras.src.ops.nn": {
        "AdaptiveAveragePool": "output_size data_format",
        "AdaptiveMaxPool": "output_size data_format",
        "AveragePool": "pool_size strides padding data_format",
        "BatchNorm": "axis epsilon",
        "Celu": "alpha",
        "Conv": "strides padding data_format dilation_rate",
        "ConvTranspose": "strides padding output_padding data_format dilation_rate",
        "DepthwiseConv": "strides padding data_format dilation_rate",
        "DotProductAttention": "is_causal flash_attention attn_logits_soft_cap",
        "Elu": "alpha",
        "Gelu": "approximate",
        "Glu": "axis",
        "HardShrink": "threshold",
        "LayerNorm": "axis epsilon",
        "LeakyRelu": "negative_slope",
        "LogSoftmax": "axis",
        "MaxPool": "pool_size strides padding data_format",
        "Moments": "axes keepdims synchronized",
        "Normalize": "axis order epsilon",
        "RMSNorm": "axis epsilon",
        "OneHot": "num_classes axis dtype sparse",
        "SeparableConv": "strides padding data_format dilation_rate",
        "SoftShrink": "threshold",
        "Softmax": "axis",
        "Sparsemax": "axis",
        "Squareplus": "b",
        "Threshold": "threshold default_value",
    },
    "keras.src.ops.numpy": {
        "All": "axis keepdims",
        "Amax": "axis keepdims",
        "Amin": "axis keepdims",
        "Any": "axis keepdims",
        "Argmax": "axis keepdims",
        "Argmin": "axis keepdims",
        "Argsort": "axis",
        "Average": "axis",
        "BroadcastTo": "shape",
        "Clip": "x_min x_max",
        "Concatenate": "axis",
        "CountNonzero": "axis",
        "Cumprod": "axis dtype",
        "Cumsum": "axis dtype",
        "Einsum": "subscripts",
        "ExpandDims": "axis",
        "Flip": "axis",
        "FullLike": "dtype",
        "Isclose": "equal_nan",
        "Max": "axis keepdims",
        "Mean": "axis keepdims",
        "Min": "axis keepdims",
        "Moveaxis": "source destination",
        "NanToNum": "nan posinf neginf",
        "OnesLike": "dtype",
        "Pad": "pad_width mode",
        "Prod": "axis keepdims",
        "Ptp": "axis keepdims",
        "Repeat": "repeats axis",
        "Reshape": "newshape",
        "Roll": "shift axis",
        "Round": "decimals",
        "Sort": "axis",
        "Split": "indices_or_sections axis",
        "Squeeze": "axis",
        "Stack": "axis",
        "Std": "axis keepdims",
        "Sum": "axis keepdims",
        "Swapaxes": "axis1 axis2",
        "Take": "axis",
        "TakeAlongAxis": "axis",
        "Tensordot": "axes",
        "Tile": "repeats",
        "Transpose": "axes",
        "Tril": "k",
        "Triu": "k",
        "Var": "axis keepdims",
        "ZerosLike": "dtype",
    },
}

# Arguments of a call that may be absent.
OPTIONAL = {
    "Average": "weights",
    "BatchNorm": "offset scale",
    "DotProductAttention": "bias mask scale",
    "Isclose": "rtol atol",
    "LayerNorm": "gamma beta",
    "Pad": "constant_values",
    "RMSNorm": "scale",
}

MODULE_OF = {name: module for module, names in _PLAIN.items() for name in names.split()} | {
    name: module for module, operations in _WITH_ARGUMENTS.items() for name in operations
}
CONFIGURED = {name: arguments for operations in _WITH_ARGUMENTS.values() for name, arguments in operations.items()}
