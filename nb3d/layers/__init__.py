"""Layers: configuration, weights, and one ``call`` written with `nb3d.ops`.

Example:
    >>> import nb3d
    >>> x = nb3d.Input((16, 16, 16, 1))
    >>> nb3d.layers.Conv3D(8, 3, padding="same")(x).shape
    (None, 16, 16, 16, 8)
"""

from __future__ import annotations

from typing import NoReturn

from nb3d.engine.input_spec import InputSpec
from nb3d.layers.activation_layers import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from nb3d.layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from nb3d.layers.attention import AdditiveAttention, Attention
from nb3d.layers.batch_normalization import BatchNormalization
from nb3d.layers.borders import Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from nb3d.layers.conv import Conv1D, Conv2D, Conv3D, Convolution1D, Convolution2D, Convolution3D
from nb3d.layers.conv_transpose import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
    Convolution1DTranspose,
    Convolution2DTranspose,
    Convolution3DTranspose,
    Deconvolution2D,
    Deconvolution3D,
)
from nb3d.layers.dense import Dense
from nb3d.layers.depthwise_conv import DepthwiseConv1D, DepthwiseConv2D, DepthwiseConv3D
from nb3d.layers.dot import Dot, dot
from nb3d.layers.dropout import AlphaDropout, Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from nb3d.layers.einsum_dense import EinsumDense
from nb3d.layers.embedding import Embedding
from nb3d.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from nb3d.layers.group_normalization import GroupNormalization
from nb3d.layers.group_query_attention import GroupQueryAttention
from nb3d.layers.identity import ActivityRegularization, Identity
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
from nb3d.layers.multi_head_attention import MultiHeadAttention
from nb3d.layers.noise import GaussianDropout, GaussianNoise
from nb3d.layers.normalization import Normalization
from nb3d.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from nb3d.layers.refused import REFUSED
from nb3d.layers.resampling import UpSampling1D, UpSampling2D, UpSampling3D
from nb3d.layers.rescaling import Rescaling
from nb3d.layers.separable_conv import (
    SeparableConv1D,
    SeparableConv2D,
    SeparableConv3D,
    SeparableConvolution1D,
    SeparableConvolution2D,
    SeparableConvolution3D,
)
from nb3d.layers.serialization import deserialize, serialize
from nb3d.layers.shaping import Flatten, Permute, RepeatVector, Reshape
from nb3d.layers.spectral_normalization import SpectralNormalization
from nb3d.layers.time_distributed import TimeDistributed, Wrapper

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Deconvolution2D",
    "Deconvolution3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "DepthwiseConv3D",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "InstanceNormalization",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConv3D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SeparableConvolution3D",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]


def __getattr__(name: str) -> NoReturn:
    """Says why a layer of Keras is not here."""
    reason = f": {REFUSED[name]}" if name in REFUSED else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{reason}")
