"""Networks that together hold everything that a file can say: the round trips and the comparison with Keras use them.

Each is a function of a module that follows Keras' functional API, so real Keras can build the same ones.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.saving.more_networks import MORE_NETWORKS

VOLUME = (6, 5, 4, 3)


def convolutions(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input(VOLUME, name="scan")
    y = layers.Conv3D(4, (3, 2, 1), padding="same", activation="relu", kernel_regularizer="l2")(x)
    y = layers.Conv3D(6, 2, strides=2, use_bias=False, kernel_initializer=keras.initializers.HeNormal(seed=1))(y)
    y = layers.Conv3D(6, 2, padding="same", groups=2, dilation_rate=2, name="grouped")(y)
    y = layers.Conv3DTranspose(3, 3, strides=2, padding="same", kernel_constraint="max_norm")(y)
    y = layers.Dense(2, activation="softmax", bias_initializer=keras.initializers.Constant(0.25))(y)
    return keras.Model(x, y, name="convolutions")


def normalizations(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input(VOLUME)
    y = layers.BatchNormalization(momentum=0.9, epsilon=1e-4)(x)
    y = layers.BatchNormalization(scale=False, moving_mean_initializer="ones")(y)
    y = layers.BatchNormalization(center=False, axis=1)(y)
    y = layers.Rescaling(2.0, offset=-1.0)(y)
    frozen = layers.BatchNormalization(name="frozen")
    frozen.trainable = False
    return keras.Model(x, frozen(y))


def normalizations_of_themselves(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input(VOLUME)
    y = layers.Normalization()(x)
    y = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0])(y)
    y = layers.LayerNormalization(axis=[1, -1], epsilon=0.1)(y)
    y = layers.RMSNormalization(epsilon=0.1)(y)
    y = layers.GroupNormalization(3, center=False)(y)
    y = layers.GroupNormalization(groups=-1, axis=1)(y)
    return keras.Model(x, layers.UnitNormalization(axis=[1, 2])(y))


def activations(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input(VOLUME)
    y = layers.Activation("tanh")(x)
    y = layers.LeakyReLU(negative_slope=0.1)(y)
    y = layers.PReLU(alpha_initializer="ones", shared_axes=[1, 2, 3])(y)
    y = layers.PReLU()(y)
    y = layers.ELU(alpha=0.5)(y)
    y = layers.ReLU(max_value=6.0, negative_slope=0.1, threshold=0.2)(y)
    y = layers.Softmax(axis=-1)(y)
    y = layers.Conv3D(2, 1, activation=layers.LeakyReLU(negative_slope=0.3))(y)
    y = layers.Dense(2, activation=layers.ELU(alpha=0.3))(y)
    return keras.Model(x, layers.Activation(layers.ReLU())(y))


def resizing(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input(VOLUME)
    y = layers.ZeroPadding3D(((1, 0), (0, 1), (2, 2)))(x)
    y = layers.MaxPooling3D(2, strides=1, padding="same")(y)
    y = layers.AveragePooling3D((2, 2, 1), padding="same")(y)
    y = layers.UpSampling3D((2, 1, 2))(y)
    y = layers.Cropping3D(((1, 0), (0, 1), (1, 1)))(y)
    y = layers.SpatialDropout3D(0.3)(layers.Dropout(0.5, noise_shape=(None, 1, 1, 1, None), seed=3)(y))
    peak = layers.GlobalMaxPooling3D(keepdims=True)(y)
    mean = layers.GlobalAveragePooling3D()(y)
    flat = layers.Flatten()(layers.Permute((2, 1, 3, 4))(layers.Reshape((1, 1, -1, 1))(peak)))
    return keras.Model(x, layers.Concatenate(axis=1)([flat, mean]))


def channels_first(keras: Any) -> Any:
    layers, first = keras.layers, {"data_format": "channels_first"}
    x = keras.Input(VOLUME)
    y = layers.Permute((4, 1, 2, 3))(x)
    y = layers.ZeroPadding3D(1, **first)(y)
    y = layers.UpSampling3D(2, **first)(y)
    y = layers.Cropping3D(1, **first)(y)
    return keras.Model(x, layers.Flatten(**first)(y))


def merging(keras: Any) -> Any:
    layers = keras.layers
    a, b = keras.Input(VOLUME, name="a"), keras.Input(VOLUME, name="b")
    merged = [
        layers.Add()([a, b]),
        layers.Subtract()([a, b]),
        layers.Multiply()([a, b]),
        layers.Average()([a, b]),
        layers.Maximum()([a, b]),
        layers.Minimum()([a, b]),
    ]
    return keras.Model([a, b], [layers.Concatenate()(merged), merged[0]], name="merging")


def shared_layers(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input((4,), name="x")
    a, b = layers.Dense(4, name="a"), layers.Dense(4, name="b")
    return keras.Model(x, [a(b(a(b(x)))), b(x)])


def nested(keras: Any) -> Any:
    layers = keras.layers
    inner_x = keras.Input((4,), name="inner_x")
    inner = keras.Model(inner_x, layers.Dense(4, name="d2")(layers.Dense(4, name="d1")(inner_x)), name="inner")
    chain = keras.Sequential([layers.Dense(3), layers.Dropout(0.5), layers.Dense(4)], name="chain")
    x = keras.Input((4,), name="x")
    y = inner(chain(inner(x)))
    middle = keras.Model(x, layers.Add()([y, x]), name="middle")
    z = keras.Input((4,), name="z")
    return keras.Model(z, [middle(z), middle(middle(z))], name="outer")


def two_ends(keras: Any) -> Any:
    layers = keras.layers
    inner_x = keras.Input((4,), name="inner_x")
    split = keras.Model(inner_x, [layers.Dense(2)(inner_x), layers.Dense(2)(inner_x)], name="split")
    x = keras.Input((4,), name="x")
    left, right = split(x)
    return keras.Model({"x": x}, {"right": right, "left": layers.Subtract()([right, left])})


def chain(keras: Any) -> Any:
    layers = keras.layers
    body = [layers.Conv3D(2, 3), layers.BatchNormalization(), layers.Flatten(), layers.Dense(2)]
    return keras.Sequential([keras.Input(VOLUME), *body], name="chain")


def operators(keras: Any) -> Any:
    ops = keras.ops
    x = keras.Input(VOLUME, name="x")
    y = 1.0 - (x + 1.0) * x / 2.0
    y = y**2 - abs(x) + np.ones((1, 1, 1, 3), "float32") * 0.5
    y = ops.where(x > 0, y, -y) + ops.maximum(x, 0.0)
    y = (y - ops.mean(y, axis=(1, 2, 3), keepdims=True)) / ops.sqrt(ops.var(y, axis=[1, 2, 3], keepdims=True) + 1e-3)
    part = ops.concatenate([y[..., :1], y[:, :, ::2, :, 1:2][:, :, :2], y[..., -1:]][::2], axis=-1)
    joined = ops.stack([y[:, 0, 1], y[:, -1, 0]], axis=1)
    turned = ops.transpose(ops.reshape(y, (-1, 30, 12)), (0, 2, 1))
    return keras.Model(x, [part, joined, turned, ops.squeeze(ops.expand_dims(y[:, 0], 1), axis=1)])


def functions(keras: Any) -> Any:
    ops = keras.ops
    x = keras.Input(VOLUME, name="x")
    elementwise = [
        ops.clip(x, -0.5, 0.5), ops.exp(x), ops.log(ops.square(x) + 1.0), ops.tanh(x), ops.floor(x), ops.sign(x),
        ops.relu(x), ops.relu6(x), ops.leaky_relu(x, negative_slope=0.3), ops.elu(x, alpha=0.7), ops.silu(x),
        ops.gelu(x, approximate=False), ops.softmax(x, axis=1), ops.log_softmax(x), ops.sigmoid(x), ops.selu(x),
        ops.hard_sigmoid(x), ops.softplus(x), ops.rsqrt(ops.abs(x) + 1.0), ops.erf(x), ops.minimum(x, 0.1),
        ops.round(x), ops.cast(x > 0.0, "float32"),
    ]  # fmt: skip
    reduced = [
        ops.sum(x, axis=-1), ops.max(x, axis=(1, 2)), ops.min(x, axis=1, keepdims=True), ops.prod(x, axis=-1),
        ops.argmax(x, axis=-1), ops.any(x > 0.0, axis=-1), ops.logical_and(x > 0.0, ops.logical_not(x < 0.5)),
    ]  # fmt: skip
    return keras.Model(x, [ops.concatenate(elementwise, axis=-1), *reduced])


NETWORKS: dict[str, Callable[[Any], Any]] = MORE_NETWORKS | {
    network.__name__: network
    for network in (
        convolutions, normalizations, normalizations_of_themselves, activations, resizing, channels_first, merging,
        shared_layers, nested, two_ends, chain, operators, functions,
    )
}  # fmt: skip


def randomize(model: Any, seed: int = 0) -> None:
    """Gives every weight values that are none of its initial ones; variances stay positive."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        variable.assign(random.uniform(0.1, 0.9, tuple(variable.shape)).astype("float32"))
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):  # Keras' Normalization keeps a copy of its weights
            layer.finalize_state()


def arrays_for(shapes: list[tuple[int | None, ...]], batch: int = 2) -> list[np.ndarray]:
    random = np.random.default_rng(7)
    return [random.standard_normal((batch, *shape[1:])).astype("float32") for shape in shapes]


def predictions(model: Any, batch: int = 2) -> list[np.ndarray]:
    """The outputs as a flat list, those of a dict in the order of their names."""
    inputs = arrays_for([tuple(tensor.shape) for tensor in model.inputs], batch)
    result = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    if isinstance(result, dict):
        return [np.asarray(result[name]) for name in sorted(result)]
    return [np.asarray(value) for value in (result if isinstance(result, list) else [result])]
