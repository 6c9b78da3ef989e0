"""The layers that ``dev/record_layer_goldens.py`` records, by family: one file of recorded outputs each."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

SEQUENCE = (2, 9, 4)  # batch, steps, channels
IMAGE = (2, 6, 7, 4)
VOLUME = (2, 5, 6, 7, 4)  # batch, depth, height, width, channels
OF_RANK = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}

ACTIVATIONS = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "swish", "tanh", "tanh_shrink",
]  # fmt: skip


@dataclass(frozen=True)
class Wrapped:
    """A layer that is an argument of another."""

    class_name: str
    kwargs: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.class_name}({','.join(f'{key}={value}' for key, value in self.kwargs.items())})"


@dataclass
class Case:
    """One layer on one input.

    Attributes:
        class_name: The layer.
        kwargs: Its arguments.
        shapes: Shapes of its inputs, in channels last, whatever the layer's format.
        call: Keyword arguments of the call.
        masked: Whether every input first passes a Masking layer.
        apart: Whether several inputs are arguments of their own, not a list.
        integers: What the inputs count to, where they are indices.
    """

    class_name: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = (VOLUME,)
    call: dict[str, Any] = field(default_factory=dict)
    masked: bool = False
    apart: bool = False
    integers: int = 0

    @property
    def name(self) -> str:
        """A readable name, unique among the cases."""
        arguments = ",".join(f"{key}={value}" for key, value in {**self.kwargs, **self.call}.items())
        shapes = "" if self.shapes == (VOLUME,) else "|" + "+".join("x".join(map(str, shape)) for shape in self.shapes)
        return f"{self.class_name}({arguments}){shapes}{'|masked' * self.masked}".replace(" ", "")


class Family(list[Case]):
    """Cases that are added by layer."""

    def record(self, class_name: str, *variants: dict[str, Any], formats: bool = False, **more: Any) -> None:
        """Adds a layer with each of the arguments; with `formats`, in both data formats."""
        both = [{"data_format": "channels_last"}, {"data_format": "channels_first"}] if formats else [{}]
        for variant, form in product(variants or ({},), both):
            self.append(Case(class_name, {**variant, **form}, **more))


def convolutions() -> Family:
    """Convolutions: windows, strides, dilation, groups, paddings.

    The number of filters is never the width of the output: there Keras 3.15 on TensorFlow adds a channels-first bias
    along the width.
    """
    family = Family()
    family.record(
        "Conv3D",
        {"filters": 3, "kernel_size": 3},
        {"filters": 2, "kernel_size": (1, 2, 3), "padding": "same", "activation": "relu"},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False},
        {"filters": 2, "kernel_size": (3, 2, 4), "strides": (2, 3, 1), "activation": "tanh"},
        {"filters": 2, "kernel_size": 2, "dilation_rate": (2, 1, 3), "padding": "same"},
        {"filters": 2, "kernel_size": (2, 3, 2), "dilation_rate": 2},
        {"filters": 8, "kernel_size": 2, "groups": 2},
        {"filters": 8, "kernel_size": (2, 3, 3), "groups": 4, "padding": "same", "strides": (1, 2, 2)},
        formats=True,
    )
    family.record("Conv3D", {"filters": 5, "kernel_size": 1, "activation": "softmax"})
    for rank in (1, 2):
        family.record(
            f"Conv{rank}D",
            {"filters": 3, "kernel_size": 3},
            {"filters": 2, "kernel_size": 4, "strides": 2, "padding": "same", "activation": "relu"},
            {"filters": 2, "kernel_size": 2, "strides": 3, "use_bias": False},
            {"filters": 2, "kernel_size": 3, "dilation_rate": 2, "padding": "same"},
            {"filters": 10, "kernel_size": 2, "groups": 2},
            formats=True,
            shapes=(OF_RANK[rank],),
        )
        family.record(
            f"DepthwiseConv{rank}D",
            {"kernel_size": 3},
            {"kernel_size": 2, "depth_multiplier": 3, "padding": "same", "activation": "elu"},
            {"kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False},
            {"kernel_size": 2, "dilation_rate": 2, "depth_multiplier": 2},
            formats=True,
            shapes=(OF_RANK[rank],),
        )
        family.record(
            f"SeparableConv{rank}D",
            {"filters": 3, "kernel_size": 3},
            {"filters": 2, "kernel_size": 2, "depth_multiplier": 2, "padding": "same", "activation": "relu"},
            {"filters": 5, "kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False},
            {"filters": 3, "kernel_size": 2, "dilation_rate": 2},
            formats=True,
            shapes=(OF_RANK[rank],),
        )
    family.record(
        "Conv1D",
        {"filters": 3, "kernel_size": 3, "padding": "causal"},
        {"filters": 2, "kernel_size": 4, "padding": "causal", "strides": 2},
        {"filters": 2, "kernel_size": 3, "padding": "causal", "dilation_rate": 3, "activation": "tanh"},
        {"filters": 4, "kernel_size": 2, "padding": "causal", "groups": 2},
        formats=True,
        shapes=(SEQUENCE,),
    )
    family.record("Conv2D", {"filters": 2, "kernel_size": (1, 5), "strides": (2, 1)}, shapes=(IMAGE,))
    return family


def transposed_convolutions() -> Family:
    """Transposed convolutions: paddings before all."""
    family = Family()
    family.record(
        "Conv3DTranspose",
        {"filters": 3, "kernel_size": 2, "strides": 2},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"},
        {"filters": 2, "kernel_size": (3, 2, 1), "strides": (2, 1, 3)},
        {"filters": 2, "kernel_size": (2, 3, 4), "strides": (3, 2, 1), "padding": "same", "use_bias": False},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1},
        {"filters": 2, "kernel_size": 3, "strides": (2, 3, 2), "output_padding": (1, 0, 1)},
        {"filters": 2, "kernel_size": 1, "strides": 2},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2},
        {"filters": 2, "kernel_size": (3, 2, 2), "dilation_rate": (1, 2, 1), "padding": "same"},
        formats=True,
        shapes=((2, 3, 2, 4, 4),),
    )
    for rank in (1, 2):
        family.record(
            f"Conv{rank}DTranspose",
            {"filters": 3, "kernel_size": 2, "strides": 2},
            {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"},
            {"filters": 2, "kernel_size": 2, "strides": 3, "use_bias": False},
            {"filters": 2, "kernel_size": 4, "strides": 2, "padding": "same", "output_padding": 1},
            {"filters": 2, "kernel_size": 3, "strides": 3, "output_padding": 2},
            {"filters": 2, "kernel_size": 3, "dilation_rate": 2, "padding": "same"},
            formats=True,
            shapes=(OF_RANK[rank],),
        )
    return family


def poolings() -> Family:
    """Pooling, global and adaptive."""
    family = Family()
    windows = [
        {},
        {"pool_size": 3, "strides": 2, "padding": "same"},
        {"pool_size": (1, 2, 3), "strides": (2, 1, 1)},
        {"pool_size": 2, "padding": "same"},
        {"pool_size": (2, 3, 4), "strides": 1, "padding": "same"},
    ]
    family.record("MaxPooling3D", *windows, formats=True)
    family.record("AveragePooling3D", *({"pool_size": 2} | window for window in windows), formats=True)
    windows = [
        {"pool_size": 2},
        {"pool_size": 3, "strides": 2, "padding": "same"},
        {"pool_size": 3, "strides": 1},
        {"pool_size": 2, "padding": "same"},
    ]
    for rank in (1, 2):
        for name in ("MaxPooling", "AveragePooling"):
            family.record(f"{name}{rank}D", *windows, formats=True, shapes=(OF_RANK[rank],))
    for rank in (1, 2, 3):
        for name in ("GlobalMaxPooling", "GlobalAveragePooling"):
            family.record(f"{name}{rank}D", {}, {"keepdims": True}, formats=True, shapes=(OF_RANK[rank],))
        # TensorFlow crashes where one window is the whole axis
        sizes = [{"output_size": 2}, {"output_size": 4}, {"output_size": (3, 2, 6)[-rank:]}]
        for name in ("AdaptiveMaxPooling", "AdaptiveAveragePooling"):
            family.record(f"{name}{rank}D", *sizes, formats=True, shapes=(OF_RANK[rank],))
    family.record("GlobalAveragePooling1D", {}, {"keepdims": True}, shapes=(SEQUENCE,), masked=True)
    return family


def reshapings() -> Family:
    """Layers that repeat, add, cut or rearrange values."""
    family = Family()
    family.record("UpSampling1D", {}, {"size": 3}, shapes=(SEQUENCE,))
    linear = {"size": (3, 2), "interpolation": "bilinear"}
    family.record("UpSampling2D", {}, {"size": (3, 2)}, linear, formats=True, shapes=(IMAGE,))
    family.record("UpSampling3D", {}, {"size": (1, 3, 2)}, formats=True)
    family.record("ZeroPadding1D", {}, {"padding": (0, 3)}, formats=True, shapes=(SEQUENCE,))
    pairs: list[dict[str, Any]] = [{"padding": (0, 2)}, {"padding": ((1, 0), (0, 2))}]
    family.record("ZeroPadding2D", {}, *pairs, formats=True, shapes=(IMAGE,))
    pairs = [{"padding": (0, 2, 1)}, {"padding": ((1, 0), (0, 2), (3, 1))}]
    family.record("ZeroPadding3D", {}, *pairs, formats=True)
    family.record("Cropping1D", {}, {"cropping": 2}, {"cropping": (0, 3)}, shapes=(SEQUENCE,))
    pairs = [{"cropping": 1}, {"cropping": (0, 2)}, {"cropping": ((1, 0), (0, 2))}]
    family.record("Cropping2D", *pairs, formats=True, shapes=(IMAGE,))
    pairs = [{"cropping": (0, 2, 1)}, {"cropping": ((1, 0), (0, 2), (3, 1))}]
    family.record("Cropping3D", {}, *pairs, formats=True)
    family.record("Flatten", formats=True)
    family.record("Flatten", formats=True, shapes=(SEQUENCE,))
    family.record("Flatten", shapes=((4, 3),))
    family.record("Reshape", {"target_shape": (-1, 4)}, {"target_shape": (7, 2, 60)}, {"target_shape": (840,)})
    family.record("RepeatVector", {"n": 3}, shapes=((5, 4),))
    family.record("Permute", {"dims": (4, 1, 2, 3)}, {"dims": (3, 2, 1, 4)})
    return family


def cores() -> Family:
    """Dense and what stands around it."""
    family = Family()
    family.record("Dense", {"units": 3}, {"units": 2, "activation": "gelu", "use_bias": False})
    for shape in ((5, 4), SEQUENCE, IMAGE, (2, 3, 2, 2, 2, 4)):
        family.record("Dense", {"units": 3, "activation": "relu"}, shapes=(shape,))
    family.record("Rescaling", {"scale": 0.5, "offset": -1.0}, {"scale": [1.0, 2.0, 3.0, 4.0]})
    family.record("Masking", {}, {"mask_value": 0.5})
    family.record("Identity")
    family.record("Embedding", {"input_dim": 7, "output_dim": 3}, shapes=((2, 9),), integers=7)
    family.record("Embedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}, shapes=((4,),), integers=7)
    family.record(
        "EinsumDense",
        {"equation": "abc,cd->abd", "output_shape": [None, 5], "bias_axes": "d", "activation": "relu"},
        {"equation": "abc,cde->abde", "output_shape": [None, 2, 3], "bias_axes": "de"},
        {"equation": "abc,cde->abde", "output_shape": [None, 2, 3], "bias_axes": "e"},
        {"equation": "abc,bcd->ad", "output_shape": 5, "bias_axes": "d"},
        {"equation": "abc,bd->adc", "output_shape": [5, None], "bias_axes": "d"},
        {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"},
        {"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"},
        shapes=(SEQUENCE,),
    )
    time = (2, 3, 5, 6, 4)
    family.record(
        "TimeDistributed",
        {"layer": Wrapped("Conv2D", {"filters": 3, "kernel_size": 2, "activation": "relu"})},
        {"layer": Wrapped("GlobalMaxPooling2D", {})},
        {"layer": Wrapped("BatchNormalization", {})},
        shapes=(time,),
    )
    family.record("TimeDistributed", {"layer": Wrapped("Dense", {"units": 3})}, shapes=(SEQUENCE,))
    family.record("TimeDistributed", {"layer": Wrapped("Dense", {"units": 3})}, shapes=(SEQUENCE,), masked=True)
    training = {"training": True}
    family.record("TimeDistributed", {"layer": Wrapped("BatchNormalization", {})}, shapes=(time,), call=training)
    return family


def attentions() -> Family:
    """Attention, with projections and without."""
    family = Family()
    tokens, others, keys = (2, 5, 4), (2, 7, 6), (2, 7, 4)
    causal, scored = {"use_causal_mask": True}, {"return_attention_scores": True}
    for name in ("Attention", "AdditiveAttention"):
        family.record(name, {}, {"use_scale": True}, {"use_scale": False}, shapes=(tokens, others, keys))
        family.record(name, shapes=(tokens, keys), call=causal)
        family.record(name, shapes=(tokens, keys), call=scored)
        family.record(name, {"dropout": 0.5}, shapes=(tokens, keys), masked=True)
        family.record(name, shapes=(tokens, others, keys), masked=True, call=causal)
    scales: list[dict[str, Any]] = [{"score_mode": "concat"}, {"score_mode": "concat", "use_scale": True}]
    family.record("Attention", *scales, shapes=(tokens, others, keys))
    heads = {"num_heads": 2, "key_dim": 3}
    family.record(
        "MultiHeadAttention",
        heads,
        {**heads, "value_dim": 5, "use_bias": False, "use_gate": True},
        {**heads, "output_shape": 7, "dropout": 0.5},
        {**heads, "output_shape": [2, 3], "sliding_window": 2},
        shapes=(tokens, others),
        apart=True,
    )
    family.record("MultiHeadAttention", heads, shapes=(tokens, others, keys), apart=True)
    for call in ({}, causal, scored):
        family.record("MultiHeadAttention", heads, shapes=(tokens, others), apart=True, masked=True, call=call)
        family.record("MultiHeadAttention", heads, shapes=(tokens, tokens), apart=True, call={**scored, **call})
    grid = (2, 3, 4, 5)
    axes = [heads, {**heads, "attention_axes": [2]}, {**heads, "attention_axes": 1, "use_bias": False}]
    family.record("MultiHeadAttention", *axes, shapes=(grid, grid), apart=True)
    family.record("MultiHeadAttention", heads, shapes=((2, 2, 2, 3, 4), (2, 2, 2, 3, 4)), apart=True)
    shared = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
    family.record(
        "GroupQueryAttention",
        shared,
        {**shared, "use_bias": False, "use_gate": True, "sliding_window": 3},
        shapes=(tokens, keys),
        apart=True,
    )
    for call in (causal, scored):
        family.record("GroupQueryAttention", shared, shapes=(tokens, keys), apart=True, masked=True, call=call)
    return family


def activations() -> Family:
    """Activations as names and as layers."""
    family = Family()
    family.record("Activation", *({"activation": name} for name in ACTIVATIONS))
    family.record("ReLU", {}, {"max_value": 1.0}, {"negative_slope": 0.25})
    family.record("ReLU", {"threshold": 0.5, "negative_slope": 0.1, "max_value": 1.5})
    family.record("LeakyReLU", {}, {"negative_slope": 0.1})
    family.record("ELU", {}, {"alpha": 0.5})
    family.record("PReLU", {}, {"shared_axes": [1, 2, 3]}, {"shared_axes": [2]}, {"shared_axes": [1, 4]})
    family.record("Softmax", {}, {"axis": 1}, {"axis": [1, 2, 3]}, {"axis": [-1]})
    return family


def regularizations() -> Family:
    """Layers that only do something in training."""
    family = Family()
    family.record("SpatialDropout1D", {"rate": 0.5}, shapes=(SEQUENCE,))
    family.record("SpatialDropout2D", {"rate": 0.5}, formats=True, shapes=(IMAGE,))
    family.record("SpatialDropout3D", {"rate": 0.5}, formats=True)
    for name in ("AlphaDropout", "GaussianDropout"):
        family.record(name, {"rate": 0.5}, shapes=(SEQUENCE,))
    family.record("GaussianNoise", {"stddev": 0.5}, shapes=(SEQUENCE,))
    family.record("SpectralNormalization", {"layer": Wrapped("Conv3D", {"filters": 3, "kernel_size": 2})})
    embedding = {"layer": Wrapped("Embedding", {"input_dim": 5, "output_dim": 3}), "power_iterations": 2}
    family.record("SpectralNormalization", embedding, shapes=((2, 9),), integers=5)
    family.record("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, shapes=(SEQUENCE,))
    family.record("Dropout", {"rate": 0.5}, {"rate": 0.25, "noise_shape": [None, 1, 1, 1, 4]})
    return family


def normalizations() -> Family:
    """Normalization."""
    family = Family()
    family.record("BatchNormalization", {}, {"axis": 1}, {"axis": 2, "epsilon": 0.1}, {"center": False})
    family.record("BatchNormalization", {"scale": False})
    family.record("BatchNormalization", {"center": False, "scale": False}, shapes=((5, 4),))
    training = {"training": True}
    family.record("BatchNormalization", {"momentum": 0.75}, {"axis": 1, "momentum": 0.5}, call=training)
    family.record("BatchNormalization", {"momentum": 0.75}, call=training, masked=True)
    family.record("BatchNormalization", {"trainable": False}, call=training)
    small: dict[str, Any] = {"shapes": ((2, 3, 4, 3, 4),)}
    axes = [{}, {"axis": 1}, {"axis": [-1]}, {"axis": [1, 2, 3, 4]}, {"axis": [3, 1]}, {"axis": [1, -1]}]
    switches = [{"center": False}, {"scale": False}, {"center": False, "scale": False}]
    family.record("LayerNormalization", *axes, *switches, {"epsilon": 0.1}, **small)
    family.record("LayerNormalization", {"axis": [2, 4], "rms_scaling": True}, **small)
    family.record("LayerNormalization", shapes=((5, 4),))
    family.record("LayerNormalization", masked=True, **small)
    family.record("RMSNormalization", {}, {"axis": [1, 2, 3, 4]}, {"epsilon": 0.1}, **small)  # of others Keras is wrong
    family.record("RMSNormalization", shapes=((5, 4),))
    family.record("UnitNormalization", *axes, **small)
    family.record("UnitNormalization", masked=True, **small)
    family.record("GroupNormalization", *({"groups": groups} for groups in (1, 2, 4, -1)), **small)
    family.record("GroupNormalization", *({"groups": 2, **switch} for switch in switches), **small)
    family.record("GroupNormalization", {"groups": 1, "epsilon": 0.1}, {"groups": 3, "axis": 1}, **small)
    family.record("GroupNormalization", {"groups": 2, "axis": 2}, {"groups": -1, "axis": 1}, **small)
    family.record("GroupNormalization", {"groups": 2}, shapes=((5, 4),))
    family.record("GroupNormalization", {"groups": 2}, masked=True, **small)
    statistics = {"mean": [0.5, -1.0, 2.0, 0.0], "variance": [1.0, 4.0, 0.25, 0.0]}
    family.record("Normalization", {}, {"axis": None}, {"axis": [1, 4]}, {"invert": True}, statistics, **small)
    family.record("Normalization", {**statistics, "invert": True}, {**statistics, "axis": [2, -1]}, **small)
    scalars = {"mean": 0.5, "variance": 2.0}
    family.record("Normalization", scalars, {**scalars, "axis": None}, **small)
    return family


def mergings() -> Family:
    """Layers of several inputs."""
    family = Family()
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        family.record(name, shapes=(VOLUME, VOLUME))
        family.record(name, shapes=(VOLUME, (2, 1, 6, 1, 4), VOLUME))
        family.record(name, shapes=((2, 7, 4), VOLUME))
        family.record(name, shapes=(VOLUME, VOLUME, VOLUME), masked=True)
    family.record("Subtract", shapes=(VOLUME, (2, 1, 1, 1, 4)))
    family.record("Dot", {"axes": 1}, {"axes": -1, "normalize": True}, shapes=((5, 4), (5, 4)))
    family.record("Dot", {"axes": (1, 2)}, {"axes": [-1, 1], "normalize": True}, shapes=((2, 4, 4), (2, 4, 4)))
    family.record("Dot", {"axes": [1, 2]}, shapes=((2, 4), SEQUENCE))
    family.record("Dot", {"axes": [2, 1]}, shapes=(SEQUENCE, (2, 4)))
    family.record("Dot", {"axes": (4, 3)}, shapes=(VOLUME, (2, 6, 3, 4)))
    family.record("Concatenate", shapes=(VOLUME, (2, 5, 6, 7, 1), VOLUME))
    family.record("Concatenate", {"axis": 2}, shapes=(VOLUME, (2, 5, 3, 7, 4)))
    family.record("Concatenate", shapes=(VOLUME, VOLUME), masked=True)
    return family


FAMILIES = {
    "activation": activations,
    "attention": attentions,
    "convolution": convolutions,
    "core": cores,
    "merging": mergings,
    "normalization": normalizations,
    "pooling": poolings,
    "regularization": regularizations,
    "reshaping": reshapings,
    "transposed_convolution": transposed_convolutions,
}
