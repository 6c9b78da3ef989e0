"""Random single layers with random inputs, as Hypothesis strategies: arguments, shapes, data formats, masks.

Sizes come from short lists: a register tile is compiled for every new one, and the point is how arguments meet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

import nb3d

layers = nb3d.layers
Draw = Callable[[Any], Any]
Shape = tuple[int, ...]

SIZES = st.sampled_from([1, 2, 3, 5, 6])
CHANNELS = st.sampled_from([1, 2, 4, 6])
FILTERS = st.sampled_from([1, 3, 4, 8])
BATCHES = st.sampled_from([1, 2])
ACTIVATIONS = st.sampled_from([None, "relu", "elu", "gelu", "softmax", "leaky_relu", "hard_silu", "softplus", "mish"])


@dataclass
class FuzzCase:
    """A layer to make, and what it is called on.

    Attributes:
        make: The class.
        kwargs: Its arguments.
        shapes: Shapes of its inputs.
        apart: Whether they are arguments of their own, not a list.
        below: What inputs count to, where they are indices.
        call: Keyword arguments of the call.
    """

    make: Any
    kwargs: dict[str, Any]
    shapes: list[Shape]
    apart: bool = False
    below: int = 0
    call: dict[str, Any] = field(default_factory=dict)

    def arrays(self) -> list[np.ndarray]:
        """Inputs, the same for the same case."""
        random = np.random.default_rng([len(self.shapes), *self.shapes[0]])
        if self.below:
            return [random.integers(0, self.below, shape).astype("int32") for shape in self.shapes]
        return [random.standard_normal(shape).astype("float32") for shape in self.shapes]

    def apply(self, layer: Any, tensors: list[Any]) -> Any:
        """The layer's result."""
        return layer(*tensors, **self.call) if self.apart or len(tensors) == 1 else layer(tensors, **self.call)


def spatial(draw: Draw, rank: int, channels: int, first: bool) -> Shape:
    """A shape of so many spatial axes."""
    sizes = [draw(SIZES) for _ in range(rank)]
    return (draw(BATCHES), channels, *sizes) if first else (draw(BATCHES), *sizes, channels)


def per_axis(draw: Draw, rank: int, values: Any) -> Any:
    """One number for all axes, or one for each."""
    return draw(values) if draw(st.booleans()) else [draw(values) for _ in range(rank)]


def formatted(draw: Draw) -> tuple[bool, dict[str, str]]:
    """Whether channels come first, and the argument that says so."""
    first = draw(st.booleans())
    return first, {"data_format": "channels_first" if first else "channels_last"}


@st.composite
def convolutions(draw: Draw) -> FuzzCase:
    """Plain, transposed, depthwise and separable convolutions of every rank."""
    rank, kind = draw(st.sampled_from([1, 2, 3, 3])), draw(st.sampled_from(["", "Transpose", "Depthwise", "Separable"]))
    first, form = formatted(draw)
    channels, groups = draw(CHANNELS), 1
    kwargs = {"kernel_size": per_axis(draw, rank, st.integers(1, 3)), **form, "activation": draw(ACTIVATIONS)}
    kwargs["padding"] = draw(st.sampled_from(["valid", "same", "SAME"]))
    kwargs["use_bias"] = draw(st.booleans())
    which = draw(st.sampled_from(["strides", "dilation_rate"]))
    kwargs[which] = per_axis(draw, rank, st.integers(1, 3))
    if kind == "":
        groups = draw(st.sampled_from([1, 1, channels]))
        kwargs["groups"] = groups
        if rank == 1 and draw(st.booleans()):
            kwargs["padding"] = "causal"
    if kind == "Transpose" and which == "strides" and draw(st.booleans()):
        strides = kwargs["strides"] if isinstance(kwargs["strides"], list) else [kwargs["strides"]] * rank
        kwargs["output_padding"] = [draw(st.integers(0, stride - 1)) for stride in strides]
    if kind != "Depthwise":
        kwargs["filters"] = draw(FILTERS) * groups
    if kind in ("Depthwise", "Separable"):
        kwargs["depth_multiplier"] = draw(st.integers(1, 2))
    name = f"Conv{rank}DTranspose" if kind == "Transpose" else f"{kind}Conv{rank}D"
    return FuzzCase(getattr(layers, name), kwargs, [spatial(draw, rank, channels, first)])


@st.composite
def poolings(draw: Draw) -> FuzzCase:
    """Pooling with windows, over all, and adaptive."""
    rank, what = draw(st.sampled_from([1, 2, 3])), draw(st.sampled_from(["Max", "Average"]))
    kind = draw(st.sampled_from(["", "", "Global", "Adaptive"]))
    first, kwargs = formatted(draw)
    more: dict[str, Any] = {}
    if kind == "":
        more = {
            "pool_size": per_axis(draw, rank, st.integers(1, 3)),
            "padding": draw(st.sampled_from(["valid", "same"])),
        }
        more["strides"] = draw(st.none() | st.integers(1, 3))
    elif kind == "Global":
        more = {"keepdims": draw(st.booleans())}
    else:
        more = {"output_size": per_axis(draw, rank, st.integers(1, 4))}
    shape = spatial(draw, rank, draw(CHANNELS), first)
    return FuzzCase(getattr(layers, f"{kind}{what}Pooling{rank}D"), {**kwargs, **more}, [shape])


@st.composite
def borders(draw: Draw) -> FuzzCase:
    """Padding, cropping and upsampling."""
    rank, kind = draw(st.sampled_from([1, 2, 3])), draw(st.sampled_from(["ZeroPadding", "Cropping", "UpSampling"]))
    first, form = formatted(draw)
    first, form = (first, form) if rank > 1 or kind == "ZeroPadding" else (False, {})
    pairs = [(draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(rank)]
    amount = (
        draw(st.sampled_from([1, pairs, [pair[0] for pair in pairs]]))
        if rank > 1
        else draw(st.sampled_from([1, pairs[0]]))
    )
    if kind == "UpSampling":
        kwargs: dict[str, Any] = {
            "size": per_axis(draw, rank, st.integers(1, 3)) if rank > 1 else draw(st.integers(1, 3))
        }
        if rank > 1:
            kwargs["interpolation"] = draw(st.sampled_from(["nearest", "bilinear"]))
    else:
        kwargs = {"padding" if kind == "ZeroPadding" else "cropping": amount}
    return FuzzCase(getattr(layers, f"{kind}{rank}D"), {**kwargs, **form}, [spatial(draw, rank, draw(CHANNELS), first)])


def any_shape(draw: Draw, least: int = 2) -> Shape:
    """A shape of two to six axes."""
    rank = draw(st.integers(least, 6))
    return (draw(BATCHES), *(draw(SIZES) for _ in range(rank - 2)), draw(CHANNELS))


@st.composite
def rearrangements(draw: Draw) -> FuzzCase:
    """Layers that move values."""
    shape = any_shape(draw)
    kind = draw(st.sampled_from(["Flatten", "Reshape", "Permute", "RepeatVector"]))
    if kind == "RepeatVector":
        return FuzzCase(layers.RepeatVector, {"n": draw(st.integers(1, 4))}, [(2, draw(CHANNELS))])
    if kind == "Permute":
        return FuzzCase(layers.Permute, {"dims": draw(st.permutations(range(1, len(shape))))}, [shape])
    if kind == "Flatten":
        return FuzzCase(layers.Flatten, formatted(draw)[1], [shape])
    sizes = draw(st.permutations(shape[1:]))
    if draw(st.booleans()):
        sizes = [-1 if index == 0 else size for index, size in enumerate(sizes)]
    return FuzzCase(layers.Reshape, {"target_shape": sizes}, [shape])


@st.composite
def products(draw: Draw) -> FuzzCase:
    """Dense layers of every rank and equation, and embeddings."""
    shape, bias = any_shape(draw), draw(st.booleans())
    kind = draw(st.sampled_from(["Dense", "Dense", "EinsumDense", "Embedding"]))
    if kind == "Dense":
        kwargs = {"units": draw(FILTERS), "use_bias": bias, "activation": draw(ACTIVATIONS)}
        return FuzzCase(layers.Dense, kwargs, [shape])
    if kind == "Embedding":
        kwargs = {"input_dim": 5, "output_dim": draw(FILTERS), "mask_zero": bias}
        return FuzzCase(layers.Embedding, kwargs, [shape], below=5)
    equation, output, axes = draw(
        st.sampled_from(
            [
                ("abc,cd->abd", [None, 3], "d"),
                ("abc,cde->abde", [None, 2, 3], "de"),
                ("abc,cde->abde", [None, 2, 3], "d"),
                ("abc,bcd->ad", 4, "d"),
                ("abc,bd->adc", [3, None], "d"),
                ("abc,cb->ab", [None], "b"),
                ("...x,xy->...y", 5, "y"),
                ("ab...,bc->ac...", 3, "c"),
            ]
        )
    )
    kwargs = {"equation": equation, "output_shape": output, "bias_axes": axes if bias else None}
    return FuzzCase(layers.EinsumDense, kwargs | {"activation": draw(ACTIVATIONS)}, [any_shape(draw, 3)[:2] + (4,)])


@st.composite
def activations(draw: Draw) -> FuzzCase:
    """Activations as layers."""
    shape, share = any_shape(draw), st.sampled_from([0.0, 0.1, 0.5, 1.0])
    axes = list(range(1, len(shape)))
    kind = draw(st.sampled_from(["Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax"]))
    kwargs: dict[str, Any] = {
        "Activation": lambda: {
            "activation": draw(st.sampled_from(sorted({*nb3d.activations.ACTIVATIONS.names()} - _CLASSES)))
        },
        "ReLU": lambda: {"max_value": draw(st.none() | share), "negative_slope": draw(share), "threshold": draw(share)},
        "LeakyReLU": lambda: {"negative_slope": draw(share)},
        "ELU": lambda: {"alpha": draw(share)},
        "PReLU": lambda: {"shared_axes": draw(st.none() | st.lists(st.sampled_from(axes), unique=True))},
        "Softmax": lambda: {"axis": draw(st.sampled_from([-1, 1, axes, [len(shape) - 1], [1]]))},
    }[kind]()
    return FuzzCase(getattr(layers, kind), kwargs, [shape])


_CLASSES = {"ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "glu", "threshold"}


@st.composite
def normalizations(draw: Draw) -> FuzzCase:
    """Normalization with given statistics and with those of the input."""
    shape = any_shape(draw, 3)
    axis = draw(st.integers(1, len(shape) - 1))
    switches = {
        "center": draw(st.booleans()),
        "scale": draw(st.booleans()),
        "epsilon": draw(st.sampled_from([1e-3, 0.1])),
    }
    kind = draw(st.sampled_from(["Batch", "Layer", "Group", "Instance", "RMS", "Unit", "", "Rescaling"]))
    if kind == "Rescaling":
        return FuzzCase(layers.Rescaling, {"scale": draw(st.sampled_from([2.0, -0.5])), "offset": 1.0}, [shape])
    kwargs: dict[str, Any] = {"axis": axis}
    if kind in ("Batch", "Layer", "Group", "Instance"):
        kwargs |= switches
    if kind == "Group":
        kwargs["groups"] = draw(st.sampled_from([1, -1, 2, shape[axis]]))
    if kind in ("Layer", "RMS", "Unit") and draw(st.booleans()):
        kwargs["axis"] = draw(st.lists(st.integers(1, len(shape) - 1), min_size=1, unique=True))
    return FuzzCase(getattr(layers, f"{kind}Normalization"), kwargs, [shape])


@st.composite
def mergings(draw: Draw) -> FuzzCase:
    """Layers of several inputs, which may broadcast."""
    shape, kind = (
        any_shape(draw),
        draw(st.sampled_from(["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dot"])),
    )
    if draw(st.booleans()) and kind == "Add":
        axis = draw(st.integers(1, len(shape) - 1))
        others = [tuple(draw(SIZES) if i == axis else n for i, n in enumerate(shape)) for _ in range(2)]
        return FuzzCase(
            layers.Concatenate, {"axis": draw(st.sampled_from([axis, axis - len(shape)]))}, [shape, *others]
        )
    if kind == "Dot":
        other = any_shape(draw)
        pair = draw(st.integers(1, len(shape) - 1)), draw(st.integers(1, len(other) - 1))
        other = (shape[0], *other[1:])
        other = (*other[: pair[1]], shape[pair[0]], *other[pair[1] + 1 :])
        return FuzzCase(layers.Dot, {"axes": list(pair), "normalize": draw(st.booleans())}, [shape, other])
    count = 2 if kind == "Subtract" else draw(st.integers(1, 3))
    shapes = [shape] + [(shape[0], *(draw(st.sampled_from([1, size])) for size in shape[1:])) for _ in range(count - 1)]
    return FuzzCase(getattr(layers, kind), {}, shapes)


@st.composite
def attentions(draw: Draw) -> FuzzCase:
    """Attention with and without projections."""
    batch, features = draw(BATCHES), draw(st.sampled_from([2, 4, 6]))
    query, keys = (batch, draw(SIZES), features), (batch, draw(SIZES), features)
    call = {"use_causal_mask": draw(st.booleans())}
    kind = draw(st.sampled_from(["Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention"]))
    if kind in ("Attention", "AdditiveAttention"):
        kwargs: dict[str, Any] = {"use_scale": draw(st.booleans())}
        if kind == "Attention":
            kwargs["score_mode"] = draw(st.sampled_from(["dot", "concat"]))
        return FuzzCase(getattr(layers, kind), kwargs, [query, keys, keys][: draw(st.integers(2, 3))], call=call)
    kwargs = {"use_bias": draw(st.booleans()), "use_gate": draw(st.booleans())}
    kwargs["sliding_window"] = draw(st.none() | st.integers(1, 3))
    if kind == "GroupQueryAttention":
        kwargs |= {
            "head_dim": draw(st.integers(1, 4)),
            "num_query_heads": 4,
            "num_key_value_heads": draw(st.sampled_from([1, 2, 4])),
        }
        return FuzzCase(layers.GroupQueryAttention, kwargs, [query, keys], apart=True, call=call)
    kwargs |= {"num_heads": draw(st.integers(1, 3)), "key_dim": draw(st.integers(1, 4))}
    kwargs["value_dim"] = draw(st.none() | st.integers(1, 4))
    kwargs["output_shape"] = draw(st.sampled_from([None, 3, [2, 2]]))
    if draw(st.booleans()):
        grid = any_shape(draw, 4)[:5]
        kwargs |= {"sliding_window": None, "attention_axes": draw(st.none() | st.integers(1, len(grid) - 2))}
        return FuzzCase(layers.MultiHeadAttention, kwargs, [grid, grid], apart=True)
    return FuzzCase(layers.MultiHeadAttention, kwargs, [query, keys], apart=True, call=call)


@st.composite
def others(draw: Draw) -> FuzzCase:
    """Layers that only training knows, masks, and time."""
    kind = draw(st.sampled_from(["Dropout", "SpatialDropout", "Noise", "Plain", "Masking", "Time", "Time"]))
    shape, rate = any_shape(draw), draw(st.sampled_from([0.0, 0.5]))
    if kind == "Time":
        inner = draw(st.sampled_from([convolutions(), poolings(), products(), normalizations()]))
        case = draw(inner)
        time = (case.shapes[0][0], draw(SIZES), *case.shapes[0][1:])
        return FuzzCase(layers.TimeDistributed, {"layer": (case.make, case.kwargs)}, [time], below=case.below)
    if kind == "SpatialDropout":
        rank = draw(st.integers(1, 3))
        first, form = formatted(draw)
        first, form = (first, form) if rank > 1 else (False, {})
        return FuzzCase(
            getattr(layers, f"SpatialDropout{rank}D"), {"rate": rate, **form}, [spatial(draw, rank, 4, first)]
        )
    make, kwargs = {
        "Dropout": (draw(st.sampled_from([layers.Dropout, layers.AlphaDropout])), {"rate": rate, "seed": 3}),
        "Noise": (draw(st.sampled_from([layers.GaussianDropout])), {"rate": rate}),
        "Plain": (draw(st.sampled_from([layers.Identity, layers.ActivityRegularization])), {}),
        "Masking": (layers.Masking, {"mask_value": draw(st.sampled_from([0.0, 1.0]))}),
    }[kind]
    return FuzzCase(make, kwargs, [shape])


FAMILIES = {
    strategy.__name__: strategy
    for strategy in (
        convolutions, poolings, borders, rearrangements, products, activations, normalizations, mergings, attentions,
        others,
    )
}  # fmt: skip
