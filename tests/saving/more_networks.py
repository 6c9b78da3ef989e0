"""Networks of images, of sequences, with attention, and of more functions; see ``networks.py``."""

from collections.abc import Callable
from typing import Any

import numpy as np

VOLUME = (6, 5, 4, 3)


def images(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input((9, 8, 3), name="image")
    y = layers.ZeroPadding2D(((1, 0), (0, 2)))(x)
    y = layers.Conv2D(4, (3, 2), padding="same", activation="relu")(y)
    y = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)(y)
    y = layers.BatchNormalization()(y)
    y = layers.SeparableConv2D(5, 2, padding="same", activation="elu")(layers.SpatialDropout2D(0.3)(y))
    y = layers.MaxPooling2D(2, padding="same")(y)
    y = layers.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1)(layers.UpSampling2D(2)(y))
    y = layers.AveragePooling2D((2, 1))(layers.Cropping2D(1)(y))
    pooled = layers.AdaptiveAveragePooling2D(3)(y), layers.AdaptiveMaxPooling2D((3, 3))(y)
    ends = layers.GlobalAveragePooling2D()(y), layers.GlobalMaxPooling2D()(y)
    return keras.Model(x, [layers.Concatenate()(pooled), layers.Concatenate()(ends)])


def sequences(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input((12, 3), name="steps")
    y = layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="tanh")(layers.ZeroPadding1D((1, 2))(x))
    y = layers.SeparableConv1D(4, 2)(layers.DepthwiseConv1D(2, depth_multiplier=2)(layers.Cropping1D(1)(y)))
    transposed = layers.SpectralNormalization(layers.Conv1DTranspose(2, 3, strides=2))
    y = transposed(layers.MaxPooling1D(2)(layers.UpSampling1D(2)(y)))
    y = layers.SpatialDropout1D(0.2)(layers.AveragePooling1D(3, strides=2, padding="same")(y))
    y = layers.AdaptiveMaxPooling1D(4)(y)
    noisy = layers.GaussianNoise(0.5)(layers.GaussianDropout(0.5)(layers.AlphaDropout(0.5)(layers.Identity()(y))))
    vector = layers.GlobalMaxPooling1D()(noisy)
    cosine = layers.Dot(axes=1, normalize=True)([vector, layers.GlobalAveragePooling1D()(y)])
    return keras.Model(x, [layers.RepeatVector(2)(vector), cosine, layers.Dot(axes=(2, 2))([y, y])])


def attention(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input((8, 6), name="tokens")
    y = layers.Add()([x, layers.Embedding(6, 6)(keras.ops.argmax(x, axis=-1))])
    y = layers.MultiHeadAttention(2, 3, value_dim=4, name="heads")(y, y, use_causal_mask=True)
    y = layers.Add()([x, layers.MultiHeadAttention(3, 2, output_shape=6, use_gate=True)(y, x, key=y)])
    y = layers.GroupQueryAttention(2, 4, 2)(y, x)
    y = layers.EinsumDense("abc,cde->abde", (8, 2, 3), bias_axes="de", activation="relu")(y)
    y = layers.TimeDistributed(layers.Dense(5, activation="tanh"))(y)
    y = layers.Reshape((8, 10))(y)
    z = layers.Attention(use_scale=True)([y, y])
    return keras.Model(x, layers.AdditiveAttention()([z, y]))


def rearrangements(keras: Any) -> Any:
    ops = keras.ops
    x = keras.Input(VOLUME, name="x")
    parts = ops.split(x, 3, axis=1)
    first, second = ops.split(x, [2], axis=2)[0], ops.unstack(x, axis=2)[1]
    turned = [
        ops.flip(x, axis=1), ops.roll(x, 2, axis=3), ops.swapaxes(ops.swapaxes(x, 1, 2), 1, 2), ops.tril(x),
        ops.triu(x), ops.moveaxis(ops.moveaxis(x, 1, -1), -1, 1), ops.sort(x, axis=-1), ops.cumsum(x, axis=2),
        ops.zeros_like(x), ops.ones_like(x), ops.full_like(x, 2.0), ops.nan_to_num(x), ops.normalize(x, axis=-1),
        ops.sparsemax(x), ops.take(x, [2, 0, 1], axis=-1), ops.hypot(x, ops.arctan(x)), ops.logaddexp(x, 1.0),
        ops.arctan2(x, 0.5),
        ops.log2(ops.abs(x) + 1.0), ops.sinh(x), ops.cosh(x), ops.trunc(x), ops.stop_gradient(x), ops.copy(x),
    ]  # fmt: skip
    larger = [
        ops.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0), (2, 0)), constant_values=0.5),
        ops.pad(x, ((0, 0), (1, 2), (0, 1), (3, 0), (0, 0))),
        ops.repeat(x, 2, axis=1), ops.tile(x, (1, 2, 1, 1, 3)), ops.vstack([parts[0], parts[2]]), ops.ravel(x),
        ops.one_hot(ops.argmax(x, axis=-1, keepdims=True), 3),
    ]  # fmt: skip
    return keras.Model(x, [ops.concatenate(turned, axis=-1), parts[1], first, second, *larger])


def statistics(keras: Any) -> Any:
    ops = keras.ops
    x = keras.Input((6, 4, 3), name="x")
    mean, variance = ops.moments(x, axes=[1, 2])
    values, places = ops.top_k(x, 2)
    numbers = [
        ops.std(x, axis=[1, 2]), ops.amax(x, axis=[1, 2]), ops.amin(x, axis=[1, 2]), ops.logsumexp(x, axis=[1, 2]),
        ops.norm(x, axis=[1, 2]), mean, variance,
    ]  # fmt: skip
    weights = np.arange(1.0, 5.0).astype("float32")
    products = [
        ops.einsum("abcd,abed->abce", x, x), ops.tensordot(x, np.ones((3, 2), "float32"), axes=1),
        ops.dot(x, np.ones((3, 2), "float32")), ops.average(x, axis=2, weights=weights), ops.count_nonzero(x, axis=1),
        ops.dot_product_attention(x, x, x, is_causal=True), ops.matmul(x, np.ones((3, 2), "float32")),
        ops.max_pool(x, 2), ops.conv(x, np.ones((2, 2, 3, 2), "float32"), padding="same"),
        ops.depthwise_conv(x, np.ones((2, 2, 3, 2), "float32")),
    ]  # fmt: skip
    return keras.Model(x, [ops.concatenate(numbers, axis=-1), values, places, *products])


def wrapped(keras: Any) -> Any:
    layers = keras.layers
    inner_x = keras.Input((6, 6, 2), name="frame")
    y = layers.Conv2D(3, 3, activation="relu")(inner_x)
    net = keras.Model(inner_x, layers.GlobalAveragePooling2D()(y), name="net")
    film, still = keras.Input((4, 6, 6, 2), name="film"), keras.Input((6, 6, 2), name="still")
    normalized = layers.SpectralNormalization(layers.Dense(3))(layers.TimeDistributed(net)(film))
    return keras.Model([film, still], [normalized, net(still)])


MORE_NETWORKS: dict[str, Callable[[Any], Any]] = {
    network.__name__: network for network in (images, sequences, attention, rearrangements, statistics, wrapped)
}
