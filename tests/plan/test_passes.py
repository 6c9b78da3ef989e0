"""Every pass: what it rewrites, what it must leave alone, and that values stay the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import layers, ops
from nb3d.engine.contexts import inside_call
from nb3d.ops.apply import apply
from nb3d.plan.graph import Graph, check
from nb3d.plan.passes import PASSES, run_passes
from nb3d.plan.passes.drop_identities import drop_identities
from nb3d.plan.passes.fold_batch_normalization import fold_batch_normalization
from nb3d.plan.passes.fold_constants import fold_constants
from nb3d.plan.passes.fuse_activation import fuse_activation
from nb3d.plan.passes.fuse_bias import fuse_bias
from nb3d.plan.passes.fuse_residual import fuse_residual
from nb3d.plan.passes.sink_layouts import sink_layouts
from tests.plan.networks import SHAPE, graph_of, names, randomized, volume


def evaluate(graph: Graph, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The outputs, step by step, without kernels' fusion, memory plan or anything else of the executor."""
    values: dict[Any, Any] = dict(zip(graph.inputs, arrays, strict=True)) | dict(graph.constants)
    for step in graph.steps:
        with inside_call(symbolic=False):
            operands = [None if value is None else values[value] for value in step.inputs]
            values[step.output] = apply(step.op, *operands, **step.attrs)
    return [np.asarray(values[value]) for value in graph.outputs]


def conv(**kwargs: Any) -> layers.Layer:
    return layers.Conv3D(4, 3, padding="same", **kwargs)


def plain(x: Any) -> Any:
    return conv()(x)


def with_batch_normalization(x: Any) -> Any:
    return layers.ReLU()(layers.BatchNormalization()(conv(use_bias=False)(x)))


def without_scale_and_center(x: Any) -> Any:
    return layers.BatchNormalization(scale=False, center=False)(conv()(x))


def transposed(x: Any) -> Any:
    return layers.BatchNormalization()(layers.Conv3DTranspose(4, 2, strides=2, activation="elu")(x))


def transposed_then_normalized(x: Any) -> Any:
    return layers.LeakyReLU(0.1)(layers.BatchNormalization()(layers.Conv3DTranspose(4, 2, strides=2)(x)))


def dense_head(x: Any) -> Any:
    y = layers.Dense(5)(layers.Flatten()(x))
    return layers.Dense(3, activation="sigmoid")(layers.BatchNormalization()(y))


def residual(x: Any) -> Any:
    y = conv()(x)
    return layers.ReLU()(layers.Add()([conv()(y), y]))


def dropped(x: Any) -> Any:
    return layers.Activation("linear")(layers.Dropout(0.5)(conv(activation="tanh")(x)))


def channels_first(x: Any) -> Any:
    y = ops.transpose(x, (0, 4, 1, 2, 3))
    y = layers.Conv3D(4, 3, padding="same", data_format="channels_first", activation="relu")(y)
    return layers.BatchNormalization(axis=1)(y)


def channels_first_chain(x: Any) -> Any:
    """Everything that a transpose has to pass, between channels-first layers."""
    keys = {"padding": "same", "data_format": "channels_first"}
    y = layers.Conv3D(3, 3, activation="softplus", **keys)(ops.transpose(x, (0, 4, 1, 2, 3)))
    z = layers.BatchNormalization(axis=1)(layers.Conv3D(3, 3, **keys)(y))
    z = layers.ReLU()(layers.Add()([z, y])) * 2.0 + np.arange(3, dtype="float32").reshape(3, 1, 1, 1)
    z = layers.Concatenate(axis=1)([z, y])
    z = layers.Softmax(axis=1)(layers.MaxPooling3D(2, data_format="channels_first")(z))
    return layers.Dense(4)(layers.GlobalAveragePooling3D(data_format="channels_first")(z))


def padded(x: Any) -> Any:
    y = layers.ZeroPadding3D(((1, 2), (0, 3), 1))(x)
    y = layers.Conv3D(4, 3, strides=2, activation="relu")(layers.ZeroPadding3D(1)(y))
    return layers.Conv3D(4, (1, 2, 2), padding="same")(layers.ZeroPadding3D(((0, 0), (0, 1), (2, 0)))(y))


def cropped(x: Any) -> Any:
    y = layers.Conv3D(4, 2, activation="relu")(layers.Cropping3D(((1, 0), (0, 1), (0, 0)))(x))
    return layers.Cropping3D(((0, 1), (1, 0), (0, 1)))(layers.Conv3D(5, 3, padding="same", activation="elu")(y))


def cropped_then_padded(x: Any) -> Any:
    return layers.Conv3D(4, 2, padding="same")(layers.Cropping3D(1)(x))


def normalized(x: Any) -> Any:
    y = layers.LeakyReLU(0.1)(layers.BatchNormalization()(x))
    return layers.ELU()(layers.GroupNormalization(2)(conv(activation="tanh")(y)))


def normalized_channels_first(x: Any) -> Any:
    keys = {"padding": "same", "data_format": "channels_first"}
    y = layers.Conv3D(4, 3, **keys)(ops.transpose(x, (0, 4, 1, 2, 3)))
    y = layers.LeakyReLU(0.1)(layers.InstanceNormalization(axis=1)(y))
    return layers.GroupNormalization(2, axis=1)(layers.Conv3D(4, 3, **keys)(y))


def of_images(x: Any) -> Any:
    """Everything that dropped unit axes have to pass, between layers of images."""
    y = layers.Conv2D(3, 3, padding="same", activation="softplus")(ops.reshape(x, (-1, 30, 4, 3)))
    z = layers.BatchNormalization()(layers.Conv2D(3, 3, padding="same")(y))
    z = layers.ReLU()(layers.Add()([z, y])) * 2.0 + np.arange(12, dtype="float32").reshape(4, 3)
    z = layers.Concatenate()([z, y])
    z = layers.Softmax()(layers.MaxPooling2D()(z))
    return layers.GlobalAveragePooling2D()(layers.Conv2D(4, 1)(z))


def of_images_normalized(x: Any) -> Any:
    y = layers.Conv2D(4, 3, padding="same")(ops.reshape(x, (-1, 30, 4, 3)))
    y = layers.ReLU()(layers.LayerNormalization()(layers.Conv2D(4, 3, padding="same")(y)))
    y = layers.GroupNormalization(2)(layers.Conv2D(4, 3, padding="same")(y))
    return layers.GlobalAveragePooling2D()(layers.Conv2D(3, 1)(y))


def of_sequences_channels_first(x: Any) -> Any:
    keys = {"data_format": "channels_first"}
    y = layers.Conv1D(3, 3, activation="tanh", **keys)(ops.reshape(x, (-1, 4, 90)))
    y = layers.PReLU(shared_axes=[2], alpha_initializer="ones")(layers.Conv1D(3, 1, use_bias=False, **keys)(y))
    return layers.MaxPooling1D(3, **keys)(y)


NETWORKS: list[Callable[[Any], Any]] = [
    plain,
    with_batch_normalization,
    without_scale_and_center,
    transposed,
    transposed_then_normalized,
    dense_head,
    residual,
    dropped,
    channels_first,
    channels_first_chain,
    normalized,
    normalized_channels_first,
    padded,
    cropped,
    cropped_then_padded,
    of_images,
    of_images_normalized,
    of_sequences_channels_first,
]


def build(network: Callable[[Any], Any]) -> tuple[Any, Any]:
    x = nb3d.Input(SHAPE[1:])
    y = network(x)
    randomized(nb3d.Model(x, y))
    return x, y


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_every_pass_keeps_the_values_and_a_sound_graph(network: Callable[[Any], Any]) -> None:
    x, y = build(network)
    graph = graph_of([x], [y])
    arrays = [volume()]
    want = evaluate(graph, arrays)[0]
    for rewrite in PASSES:
        graph = rewrite(graph).pruned()
        check(graph)
        got = evaluate(graph, arrays)[0]
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5 * np.abs(want).max())


@pytest.mark.parametrize(
    ("network", "steps"),
    [
        (plain, ["conv3d"]),
        (with_batch_normalization, ["conv3d"]),
        (without_scale_and_center, ["conv3d"]),
        (transposed, ["conv3d_transpose", "batch_normalization"]),
        (transposed_then_normalized, ["conv3d_transpose"]),
        (dense_head, ["reshape", "dense", "dense"]),
        (residual, ["conv3d", "conv3d"]),
        (dropped, ["conv3d"]),
        (padded, ["pad3d", "conv3d", "conv3d"]),
        (cropped, ["conv3d", "conv3d"]),
        (cropped_then_padded, ["crop3d", "conv3d"]),
        (channels_first, ["conv3d", "batch_normalization", "transpose"]),
        (normalized, ["batch_normalization", "conv3d", "normalization"]),
        (normalized_channels_first, ["conv3d", "normalization", "conv3d", "normalization", "transpose"]),
        (
            channels_first_chain,
            ["conv3d", "conv3d", "multiply", "add", "concatenate", "max_pool3d", "softmax", "mean", "dense"],
        ),
        (
            of_images,
            ["reshape", "reshape", "conv3d", "conv3d", "multiply", "add", "concatenate", "max_pool3d", "softmax"]
            + ["conv3d", "mean"],
        ),
        (
            of_images_normalized,
            ["reshape", "reshape", "conv3d", "conv3d", "normalization", "conv3d", "normalization", "conv3d", "mean"],
        ),
        (
            of_sequences_channels_first,
            ["reshape", "transpose", "reshape", "conv3d", "conv3d", "prelu", "max_pool3d", "reshape", "transpose"],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_left_after_all_passes(network: Callable[[Any], Any], steps: list[str]) -> None:
    x, y = build(network)
    graph = run_passes(graph_of([x], [y]), after_each=check)
    assert names(graph) == steps


def test_a_result_that_is_also_an_output_is_not_swallowed() -> None:
    x = nb3d.Input(SHAPE[1:])
    y = conv(use_bias=False)(x)
    z = layers.ReLU()(y)
    graph = run_passes(graph_of([x], [y, z]), after_each=check)
    assert names(graph) == ["conv3d", "relu"]


def test_a_result_with_two_consumers_is_not_swallowed() -> None:
    x = nb3d.Input(SHAPE[1:])
    y = conv(use_bias=False)(x)
    graph = run_passes(graph_of([x], [layers.ReLU()(y), layers.ELU()(y)]), after_each=check)
    assert names(graph) == ["conv3d", "relu", "elu"]


def test_statistics_that_a_run_changes_are_not_folded() -> None:
    x = nb3d.Input(SHAPE[1:])
    layer = layers.BatchNormalization()
    y = layer(conv(use_bias=False)(x))
    graph = run_passes(graph_of([x], [y], layer.updates), after_each=check)
    assert "batch_normalization" in names(graph)
    assert len(graph.variables) == 2


def test_random_steps_are_not_folded() -> None:
    x = nb3d.Input((3,))
    noise = ops.dropout(ops.add(ops.multiply(x, 0), 1), 0.5)
    assert "dropout" in names(run_passes(graph_of([x], [noise])))


def test_passes_never_touch_the_layers_variables() -> None:
    x, y = build(with_batch_normalization)
    model = nb3d.Model(x, y)
    before = model.get_weights()
    model.predict(volume(), verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("rewrite", "network", "gone"),
    [
        (drop_identities, dropped, "identity"),
        (lambda g: fuse_bias(drop_identities(g)), plain, "add"),
        (lambda g: fold_batch_normalization(drop_identities(g)), with_batch_normalization, "batch_normalization"),
        (lambda g: fuse_residual(fuse_bias(drop_identities(g))), residual, "add"),
        (lambda g: fuse_activation(fuse_bias(drop_identities(g))), dropped, "tanh"),
        (lambda g: sink_layouts(drop_identities(g)), channels_first_chain, "transpose"),
    ],
)
def test_each_pass_does_its_own_work(rewrite: Callable[[Graph], Graph], network: Any, gone: str) -> None:
    x, y = build(network)
    graph = graph_of([x], [y])
    assert gone in names(graph)
    assert gone not in names(rewrite(graph).pruned())


def test_constants_are_folded() -> None:
    x = nb3d.Input((3,))
    weight = nb3d.Variable(np.full((3,), 2.0, "float32"))
    y = x * ops.square(weight)
    graph = fold_constants(drop_identities(graph_of([x], [y])))
    assert names(graph) == ["multiply"]
    assert any(np.array_equal(array, [4.0, 4.0, 4.0]) for array in graph.constants.values())
