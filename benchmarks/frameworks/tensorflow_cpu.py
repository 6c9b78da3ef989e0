"""TensorFlow: a Keras model as a graph with frozen weights, so that TensorFlow may fold what it can."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from benchmarks.frameworks import Prepared, keras_like
from benchmarks.networks import Network


def prepare(network: Network, threads: int) -> Prepared:
    """A frozen function, called on a tensor that lies ready."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = keras_like.build(keras, network)
    x = tf.constant(network.volume())
    traced = tf.function(lambda volume: model(volume, training=False)).get_concrete_function(x)
    frozen = convert_variables_to_constants_v2(traced)
    return Prepared(lambda: frozen(x)[0].numpy(), lambda y: y)


def version() -> str:
    """TensorFlow's version."""
    return str(tf.__version__)
