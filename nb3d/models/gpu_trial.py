"""``nb3d doctor --test``: small networks that together ask for every kernel of the GPU, compared with the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nb3d import layers, ops
from nb3d.engine.contexts import Graph
from nb3d.kernels import policy
from nb3d.models.model import Model

# Of the largest output. Two sums in different orders, one of them perhaps by Winograd's algorithm; then the roundings.
BOUNDS = {"float32": 1e-4, "fast_float32": 1e-4, "tf32": 1e-2, "bfloat16": 5e-2}
VOLUME = (6, 7, 9)  # odd: no tile fits
LARGE = (32, 31, 31)  # some kernels are chosen for large volumes only
SAMPLES = 3

Network = Callable[[Any], Any]


@dataclass(frozen=True)
class Result:
    """One network in one precision.

    Attributes:
        name: What was tried.
        passed: Whether the GPU computed what the CPU computes, twice to the bit.
        detail: The largest error relative to the largest output, or what went wrong.
    """

    name: str
    passed: bool
    detail: str


def _convolutions(x: Any) -> Any:
    x = layers.Conv3D(32, 3, padding="same", activation="relu")(x)
    y = layers.BatchNormalization()(layers.Conv3D(32, 3, padding="same", use_bias=False)(x))
    y = layers.Add()([layers.ReLU()(y), x])
    z = layers.Conv3D(20, 3, strides=2, padding="same", activation="elu")(y)
    z = layers.Conv3DTranspose(8, 2, strides=2)(z)
    z = layers.Cropping3D(((0, 0), (1, 0), (0, 1)))(z)
    return layers.Conv3D(5, 1)(layers.Concatenate()([z, y]))


def _other_convolutions(x: Any) -> Any:
    x = layers.Conv3D(12, (1, 3, 3), dilation_rate=(1, 2, 1), padding="same", activation="silu")(x)
    x = layers.Conv3D(12, 3, groups=4, padding="same")(x)
    return layers.DepthwiseConv3D(3, padding="same", activation="sigmoid")(layers.ZeroPadding3D(1)(x))


def _resampling(x: Any) -> Any:
    pooled = [
        layers.MaxPooling3D(2)(x), layers.AveragePooling3D(2)(x), layers.AdaptiveAveragePooling3D((3, 3, 4))(x),
        layers.AdaptiveMaxPooling3D((3, 3, 4))(x),
    ]  # fmt: skip
    y = layers.Concatenate()(pooled)
    nearest, linear = layers.UpSampling3D(2)(y), layers.UpSampling3D(2, interpolation="trilinear")(y)
    classes = layers.Dense(3, activation="softmax")(layers.GlobalMaxPooling3D()(y))
    return [nearest, linear, classes, layers.GlobalAveragePooling3D()(x)]


def _normalizations(x: Any) -> Any:
    x = layers.Conv3D(24, 1)(x)
    made = [
        layers.LayerNormalization(), layers.GroupNormalization(4), layers.InstanceNormalization(),
        layers.RMSNormalization(), layers.UnitNormalization(), layers.BatchNormalization(), layers.Softmax(),
    ]  # fmt: skip
    return [layer(x) for layer in made]


def _attention(x: Any) -> Any:
    tokens = layers.Reshape((-1, 12))(layers.Conv3D(12, 3, strides=3)(x))
    y = layers.MultiHeadAttention(3, 8)(tokens, tokens, use_causal_mask=True)
    return layers.Dense(7, activation="gelu")(layers.LayerNormalization()(layers.Add()([y, tokens])))


def _arithmetic(x: Any) -> Any:
    positive = ops.sqrt(ops.abs(x) + 1.0)
    indices = ops.cast(ops.argmax(x, axis=-1), "int32")
    return [
        ops.where(x > 0.0, ops.log(positive), x * x), ops.var(x, axis=(1, 3)), ops.prod(x, axis=-1),
        ops.cumsum(x, axis=2), ops.take(x, ops.cast(indices[0, 0, 0, :2], "int32"), axis=-1),
        ops.transpose(x, (0, 4, 2, 1, 3)), ops.cast(indices, "float32"), ops.maximum(x, 0.25) / positive,
        ops.pad(x, ((0, 0), (1, 2), (0, 0), (3, 0), (0, 0)), "reflect"), ops.sum(x, axis=(0, 1)), ops.sort(x, axis=2),
    ]  # fmt: skip


NETWORKS: dict[str, Network] = {
    "convolutions": _convolutions,
    "dilated, grouped and depthwise convolutions": _other_convolutions,
    "pooling and upsampling": _resampling,
    "normalizations": _normalizations,
    "attention": _attention,
    "arithmetic and reductions": _arithmetic,
}


def models() -> Iterator[tuple[str, str, Model]]:
    """Yields the name of a network, a precision, and the network."""
    for name, network in NETWORKS.items():
        with Graph().as_default():
            x = layers.Input((*(LARGE if network is _convolutions else VOLUME), 4))
            model = Model(x, network(x))
        for precision in BOUNDS if network is _convolutions else ("float32",):
            yield name, precision, model


def trial() -> Iterator[Result]:
    """Yields the result of every network, as it comes."""
    for name, precision, model in models():
        before = policy.current()
        policy.choose(replace(before, precision=precision))
        try:
            yield _compared(f"{name}, {precision}", model, BOUNDS[precision])
        finally:
            policy.choose(before)


def _compared(name: str, model: Model, bound: float) -> Result:
    x = np.random.default_rng().standard_normal((SAMPLES, *model.input_shape[1:])).astype(np.float32)
    try:
        first, second = (_flat(model.predict_on_batch(x, device="cuda")) for _ in range(2))
        stayed = [np.asarray(y) for y in _flat(model.predict_on_device(x))]
        batches = _flat(model.predict(x, batch_size=1, device="cuda", verbose=0))
        wanted = _flat(model.predict_on_batch(x, device="cpu"))
        one_by_one = _flat(model.predict(x, batch_size=1, device="cpu", verbose=0))
    except Exception as error:  # whatever a driver says is what somebody has to read
        return Result(name, False, f"{type(error).__name__}: {error}")
    if any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(first + first, second + stayed, strict=True)):
        return Result(name, False, "two runs differ")
    largest = max(map(_error, first + batches, wanted + one_by_one))
    return Result(name, largest <= bound, f"largest error {largest:.1e}, bound {bound:.0e}")


def _error(ours: np.ndarray, theirs: np.ndarray) -> float:
    difference = np.abs(ours.astype(np.float64) - theirs).max(initial=0.0)
    return float(difference / max(np.abs(theirs).max(initial=0.0), 1e-30)) if np.isfinite(difference) else float("inf")


def _flat(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list) else [outputs]
