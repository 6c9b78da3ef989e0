"""Layers: configuration, weights, and one ``call`` written with `nb3d.ops`.

Example:
    >>> import nb3d
    >>> x = nb3d.Input((16, 16, 16, 1))
    >>> nb3d.layers.Conv3D(8, 3, padding="same")(x).shape
    (None, 16, 16, 16, 8)
"""

from nb3d.engine.input_spec import InputSpec
from nb3d.layers.activation_layers import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from nb3d.layers.batch_normalization import BatchNormalization
from nb3d.layers.conv3d import Conv3D, Convolution3D
from nb3d.layers.conv3d_transpose import Conv3DTranspose, Convolution3DTranspose, Deconvolution3D
from nb3d.layers.dense import Dense
from nb3d.layers.dropout import Dropout, SpatialDropout3D
from nb3d.layers.global_pooling import (
    GlobalAveragePooling3D,
    GlobalAvgPool3D,
    GlobalMaxPool3D,
    GlobalMaxPooling3D,
)
from nb3d.layers.group_normalization import GroupNormalization
from nb3d.layers.input_layer import Input, InputLayer
from nb3d.layers.instance_normalization import InstanceNormalization
from nb3d.layers.lambda_layer import Lambda
from nb3d.layers.layer import Layer
from nb3d.layers.layer_normalization import LayerNormalization
from nb3d.layers.length_normalization import RMSNormalization, UnitNormalization
from nb3d.layers.masking import Masking
from nb3d.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from nb3d.layers.normalization import Normalization
from nb3d.layers.pooling import AveragePooling3D, AvgPool3D, MaxPool3D, MaxPooling3D
from nb3d.layers.resampling import Cropping3D, UpSampling3D, ZeroPadding3D
from nb3d.layers.rescaling import Rescaling
from nb3d.layers.serialization import deserialize, serialize
from nb3d.layers.shaping import Flatten, Permute, Reshape

__all__ = [
    "ELU",
    "Activation",
    "Add",
    "Average",
    "AveragePooling3D",
    "AvgPool3D",
    "BatchNormalization",
    "Concatenate",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping3D",
    "Deconvolution3D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling3D",
    "GlobalAvgPool3D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "Input",
    "InputLayer",
    "InputSpec",
    "InstanceNormalization",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool3D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "SpatialDropout3D",
    "Subtract",
    "UnitNormalization",
    "UpSampling3D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
