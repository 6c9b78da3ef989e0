"""Values that share memory: what is written in place, what is not, and that results stay the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import layers, ops
from tests.plan.networks import SHAPE, randomized, volume

same = {"padding": "same"}


def conv(filters: int = 4, **more: Any) -> layers.Layer:
    return layers.Conv3D(filters, 3, padding="same", **more)


def unet(x: Any) -> Any:
    skip = conv(8, activation="relu")(x)
    deep = conv(8)(layers.MaxPooling3D(2, **same)(skip))
    up = layers.Conv3DTranspose(6, 2, strides=2)(deep)
    up = layers.Cropping3D(((0, 0), (0, 1), (0, 0)))(up)
    return conv(3)(layers.Concatenate()([skip, conv(5)(up)]))


def upsampled(x: Any) -> Any:
    skip = conv(8)(x)
    up = layers.UpSampling3D((1, 1, 2))(layers.AveragePooling3D((1, 1, 2))(skip))
    return conv(3)(layers.Concatenate()([up, skip]))


def dense_block(x: Any) -> Any:
    for _ in range(3):
        x = layers.Concatenate()([x, conv(4, activation="relu")(x)])
    return x


def nested(x: Any) -> Any:
    a, b, c = conv(3)(x), conv(4)(x), conv(5)(x)
    return conv(2)(layers.Concatenate()([layers.Concatenate()([a, b]), c]))


def twice(x: Any) -> Any:
    y = conv(4)(x)
    return conv(2)(layers.Concatenate()([y, y, conv(3)(x)]))


def in_two_places(x: Any) -> Any:
    y, z = conv(4)(x), conv(3)(x)
    return conv(2)(layers.Concatenate()([y, z])), conv(2)(layers.Concatenate()([z, y]))


def reshaped(x: Any) -> Any:
    y, z = conv(4)(x), conv(3)(x)
    flat = ops.reshape(y, (-1, 6 * 5 * 4 * 4))
    return layers.Concatenate()([y, z]), ops.sum(flat, axis=1)


def transposed_block(x: Any) -> Any:
    y = layers.Conv3DTranspose(5, (2, 3, 2), strides=(1, 1, 2), padding="same")(x)
    z = layers.Conv3DTranspose(4, (1, 1, 2), strides=(1, 1, 2))(x)
    return conv(3)(layers.Concatenate()([y, z]))


def chain(x: Any) -> Any:
    y = layers.ELU()(layers.MaxPooling3D(1)(x))
    y = ops.tanh(y + ops.mean(y, axis=(1, 2, 3), keepdims=True)) * 2.0
    return layers.MaxPooling3D(1)(y)


def added_to_itself_repeated(x: Any) -> Any:
    """The second operand is the first one seen otherwise: it must not be written over before it is read."""
    y = layers.AveragePooling3D(1)(x[:, :1, :1, :1])
    return layers.MaxPooling3D(1)(ops.add(ops.add(y, 1.0), ops.reshape(ops.add(y, 1.0), (-1, 1, 1, 1, 3))))


def the_result_itself(x: Any) -> Any:
    y = conv(4)(x)
    return y, layers.Concatenate()([y, conv(3)(y)])


NETWORKS: list[Callable[[Any], Any]] = [
    unet, upsampled, dense_block, nested, twice, in_two_places, reshaped, transposed_block, chain,
    added_to_itself_repeated, the_result_itself,
]  # fmt: skip


def function_of(network: Callable[[Any], Any], device: str = "auto") -> nb3d.plan.function.Function:
    x = nb3d.Input(SHAPE[1:])
    y = network(x)
    randomized(nb3d.Model(x, y))
    return nb3d.function([x], y)


def plan_of(network: Callable[[Any], Any]) -> Any:
    return function_of(network).plan([SHAPE]).schedule


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_shared_memory_changes_no_value(network: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    function = function_of(network)
    got = [function([volume(seed)]) for seed in (0, 1)]
    monkeypatch.setenv("NB3D_IMPL", "*:reference")  # whose kernels share nothing
    want = [function([volume(seed)]) for seed in (0, 1)]
    for results, expected in zip(got, want, strict=True):
        for a, b in zip(results, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * np.abs(b).max())


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_every_step_passes_validation(network: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB3D_VALIDATE", "1")
    function_of(network)([volume()])


@pytest.mark.parametrize(
    ("network", "in_place"),
    [(unet, 1), (upsampled, 1), (nested, 2), (twice, 0), (in_two_places, 1), (transposed_block, 1)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_concatenations_that_nothing_is_left_to_do_for(network: Callable[[Any], Any], in_place: int) -> None:
    plan = plan_of(network)
    joined = [item.step for item in plan.steps if item.case.op == "concatenate"]
    assert sum(step.output in plan.views for step in joined) == in_place


def test_what_is_fed_or_returned_is_copied_into_a_concatenation() -> None:
    assert not plan_of(the_result_itself).views
    plan = plan_of(dense_block)
    first = next(item.step for item in plan.steps if item.case.op == "concatenate")
    assert plan.graph.inputs[0] in first.inputs
    assert first.output not in plan.views


def test_slices_never_cost_memory() -> None:
    def network(x: Any) -> Any:  # the first slice would keep a large result alive through all that follows
        small = conv(1)(x)
        y = x
        for _ in range(4):
            y = conv(16)(y)
        return layers.Concatenate()([small, conv(60)(y)]) * 2.0

    plan = plan_of(network)
    joined = next(item for item in plan.steps if item.case.op == "concatenate")
    first, last = joined.step.inputs
    assert plan.places[first].root == first
    assert plan.places[last].root == joined.step.output


def test_elementwise_steps_overwrite_what_nobody_reads_again() -> None:
    plan = plan_of(chain)
    roots = [plan.places[item.step.output].root for item in plan.steps]
    names = [item.case.op for item in plan.steps]
    assert len({roots[names.index(name)] for name in ("max_pool3d", "elu", "add", "tanh", "multiply")}) <= 2


def test_results_and_inputs_take_no_memory_of_the_arena() -> None:
    x = nb3d.Input(SHAPE[1:])
    plan = nb3d.function([x], [x + 1.0]).plan([SHAPE])
    assert plan.schedule.layout.size == 0
