"""Records files of Keras 2 and what it computes with them, for ``tests/saving/test_versions.py``.

Run it in an environment with tf_keras, and in one with TensorFlow 2.12, from the root of the repository:

    python dev/record_keras2_goldens.py

It writes ``VERSION.*`` into ``tests/saving/golden_keras2``: a whole model as ``.keras`` and as ``.h5``, its weights
alone in both layouts, its configuration, and what it computes. With tf_keras it writes the same of two networks with
what Keras had last before Keras 3: ``VERSION-tokens.*`` and ``VERSION-functions.*``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "tests" / "saving" / "golden_keras2"


def keras_2() -> Any:
    """The Keras 2 of this environment."""
    try:
        import tf_keras

        return tf_keras
    except ImportError:
        import tensorflow

        return tensorflow.keras


def network(keras: Any) -> Any:
    """A network that Keras 3 would compute otherwise, with a model and a frozen layer inside."""
    layers = keras.layers
    x = inputs = keras.Input((6, 6, 4, 2), name="scan")
    x = layers.Conv3D(3, 3, padding="same", activation="hard_sigmoid", name="gate")(x)
    inner = keras.Sequential([layers.Conv3D(3, 1, name="mix"), layers.LeakyReLU(0.1), layers.BatchNormalization()])
    x = layers.Add()([inner(x), x])
    frozen = layers.BatchNormalization(name="frozen")
    frozen.trainable = False
    x = layers.Activation("swish")(frozen(x))
    x = layers.Conv3DTranspose(2, 2, strides=2, activation=layers.PReLU(shared_axes=[1, 2, 3]), name="up")(x)
    x = layers.SpatialDropout3D(0.5)(layers.MaxPooling3D(2)(x))
    x = layers.Dense(3, activation="hard_sigmoid")(layers.GlobalAveragePooling3D()(x))
    return keras.Model(inputs, [x, layers.Activation("hard_sigmoid", name="last")(x)], name="old")


def tokens(keras: Any) -> Any:
    """Attention, of tensors that are keyword arguments, and a layer that Keras 3 has no more."""
    layers = keras.layers
    x = keras.Input((6, 4), name="tokens")
    y = layers.MultiHeadAttention(2, 3, dropout=0.1, name="heads")(query=x, value=x)
    y = layers.MultiHeadAttention(2, 3, value_dim=2, name="more_heads")(y, x, key=y)
    y = layers.ThresholdedReLU(0.125)(layers.Add()([y, x]))
    return keras.Model(x, layers.Activation("hard_sigmoid")(y), name="tokens")


def functions(keras: Any) -> Any:
    """Functions of TensorFlow and operators, which become layers."""
    import tensorflow as tf

    layers = keras.layers
    x, z = keras.Input((4, 3, 2, 2), name="x"), keras.Input((4, 3, 2, 2), name="z")
    y = tf.nn.relu((x * 0.5 + z - 1) / (1 + tf.abs(z)))
    y = tf.concat([y, layers.Conv3D(2, 1, name="conv")(x)], axis=-1)
    y = y * tf.sigmoid(tf.reduce_mean(y, axis=[1, 2, 3], keepdims=True))
    y = tf.transpose(tf.reshape(y[:, :, :, :, :3], [-1, 24, 3]), [0, 2, 1])
    y = 2.0 - tf.maximum(-tf.squeeze(tf.expand_dims(y, -1), -1), 0.1)
    y = tf.math.reduce_sum(tf.nn.leaky_relu(tf.nn.softmax(tf.math.add(y, y**2), axis=-1), alpha=0.3), 1)
    w = tf.where(z > 0, z, tf.nn.elu(z) * tf.constant([0.5, 2.0]))
    w = tf.stack([tf.clip_by_value(tf.nn.gelu(w) + tf.nn.swish(z), -1.0, 1.0), z], axis=1)
    ends = [tf.cast(tf.argmax(z, axis=-1), "float32"), tf.tile(z[:, 1::2, 0, 0], [1, 1, 2])]
    return keras.Model([x, z], [y, w, *ends, keras.backend.mean(z, axis=-1)], name="functions")


def main() -> None:
    """Writes the files."""
    sys.path.insert(0, str(ROOT))
    from tests.saving.networks import predictions

    keras = keras_2()
    TARGET.mkdir(parents=True, exist_ok=True)
    record(keras, network(keras), keras.__version__, predictions)
    if not keras.__version__.startswith("2.12"):
        for more in (tokens, functions):
            record(keras, more(keras), f"{keras.__version__}-{more.__name__}", predictions)


def record(keras: Any, model: Any, name: str, predictions: Any) -> None:
    """Gives a model weights, and writes its files."""
    random = np.random.default_rng(2)
    for variable in model.weights:  # small, so that no gate is wide open or shut; variances positive
        low = 0.5 if "variance" in variable.name else -0.7
        variable.assign(random.uniform(low, 0.7, tuple(variable.shape)).astype("float32"))
    old = keras.__version__.startswith("2.12")
    np.savez_compressed(TARGET / f"{name}.npz", *predictions(model))
    model.save(TARGET / f"{name}.keras", **({"save_format": "keras_v3"} if old else {}))
    model.save(TARGET / f"{name}.h5")
    model.save_weights(TARGET / f"{name}.weights.h5")
    model.save_weights(TARGET / f"{name}.legacy.h5")
    (TARGET / f"{name}.json").write_text(model.to_json())
    print(f"{name}: {sum(path.stat().st_size for path in TARGET.glob(f'{name}.*'))} bytes")


if __name__ == "__main__":
    main()
