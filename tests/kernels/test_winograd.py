"""Winograd's convolution: its matrices, its choice, its error, its edges, and what it does to NaN."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nb3d.kernels import policy, table
from nb3d.kernels.activations import Activation
from nb3d.kernels.cpu import conv3d_winograd, streaming
from nb3d.kernels.cpu.arrays import aligned_zeros
from nb3d.kernels.cpu.winograd import blocks, cost
from nb3d.kernels.cpu.winograd import words as word
from nb3d.kernels.cpu.winograd.points import MOST, axis
from tests import naive
from tests.kernels.accuracy import DATA, error, exact, implementation, problem, run, run_tile
from tests.kernels.cases import EXAMPLES, LINEAR, conv

ELU = {"activation": int(Activation.ELU), "alpha": 1.0}
KERNELS = ((3, 3, 3), (1, 3, 3), (3, 1, 1), (3, 3, 1), (1, 1, 3), (1, 3, 1), (3, 1, 3), (2, 2, 2), (5, 5, 5), (4, 2, 6))


@pytest.fixture(autouse=True)
def _default_policy():
    policy.choose(None)
    yield
    policy.choose(None)


@pytest.fixture(params=[False, True], ids=["packed", "fresh"])
def fresh(request, monkeypatch):
    """Runs the test with weights that are transformed once, and with those that are at every run."""
    chosen = conv3d_winograd._choice
    monkeypatch.setattr(conv3d_winograd, "_choice", lambda case: replace(chosen(case), fresh=request.param))
    return request.param


@pytest.mark.parametrize("taps", range(2, 8))
@pytest.mark.parametrize("size", [2, 3, 4, 6])
def test_matrices_compute_a_correlation(size, taps):
    if size + taps - 1 > MOST:
        pytest.skip("no points for so many values")
    one = axis(size, taps)
    rng = np.random.default_rng(0)
    g, d = rng.standard_normal(taps), rng.standard_normal(one.n)
    y = one.outputs @ ((one.filters @ g) * (one.inputs @ d))
    np.testing.assert_allclose(y, np.correlate(d, g, "valid"), rtol=1e-11, atol=1e-11)
    np.testing.assert_array_equal(one.inputs, one.inputs.astype(np.float32))
    np.testing.assert_array_equal(one.outputs, one.outputs.astype(np.float32))


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_any_kernel(kernel, padding, fresh):
    example = conv((9, 7, 10), 9, 21, kernel=kernel, padding=padding, batch=2, residual=True, activation=LINEAR,
                   constant=True)  # fmt: skip
    inputs = example.inputs()
    assert error(run("winograd", example.case, inputs), exact(example.case, inputs)) < 1e-5


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 9, 2), (2, 1, 13), (4, 5, 3), (8, 8, 8), (13, 2, 6)])
@pytest.mark.parametrize("before", [(1, 1, 1), (0, 2, 1), (3, 0, 0), (2, 2, 2)])
def test_any_size_and_uneven_padding(sizes, before, fresh):
    out = tuple(n + 1 for n in sizes)  # more than the padding before accounts for: zeros behind
    shapes = ((1, *sizes, 10), (3, 3, 3, 10, 7), (7,), (0,))
    base = conv((4, 4, 4), 10, 7, activation=LINEAR, constant=True).case
    case = replace(base, inputs=shapes, out=(1, *out, 7), params=(1, 1, 1, *before, *base.params[6:]))
    rng = np.random.default_rng(1)
    inputs = tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    expected = naive.conv3d(*inputs, case.out, (1, 1, 1), before, (1, 1, 1), 1)
    assert error(run("winograd", case, inputs), expected) < 1e-5


@pytest.mark.parametrize("channels", [(1, 1), (3, 16), (8, 2), (24, 40), (33, 17), (128, 100)])
@pytest.mark.parametrize("extras", [{}, {"residual": True}, {"bias": False}, ELU, {"residual": True, **ELU}])
def test_any_channels_and_epilogue(channels, extras, fresh):
    example = conv((5, 6, 7), *channels, constant=True, **extras)
    inputs = example.inputs()
    expected = run("reference", example.case, inputs)
    assert error(run("winograd", example.case, inputs), expected) < 1e-5


def test_groups_and_float64(fresh):
    for extras in ({"groups": 3}, {"dtype": "float64"}, {"dtype": "float64", "kernel": (5, 5, 5)}):
        example = conv((6, 7, 8), 12, 18, constant=True, **extras)
        inputs = example.inputs()
        bound = 2e-14 if "dtype" in extras else 1e-5
        assert error(run("winograd", example.case, inputs), run("reference", example.case, inputs)) < bound


@pytest.mark.parametrize("values", DATA)
@pytest.mark.parametrize(
    ("kernel", "channels"),
    [((3, 3, 3), 16), ((3, 3, 3), 128), ((1, 3, 3), 32), ((3, 1, 1), 32), ((5, 5, 5), 16), ((2, 2, 2), 32),
     ((4, 4, 4), 8), ((7, 7, 7), 8)],
)  # fmt: skip
def test_error(kernel, channels, values, fresh):
    case, inputs = problem(values, kernel, channels)
    expected = exact(case, inputs)
    found = error(run("winograd", case, inputs), expected)
    assert found <= 30 * error(run("direct", case, inputs), expected)
    within = cost.fastest(case, policy.MAX_ERROR) is not None  # else the tile is not chosen, only forced
    if values == "normal" and within:
        assert found <= policy.MAX_ERROR


@pytest.mark.parametrize("values", DATA)
@pytest.mark.parametrize(("size", "taps"), cost.TILES)
def test_error_of_every_tile_along_an_axis(size, taps, values, fresh):
    case, inputs = problem(values, (1, taps, 1), 32)
    expected = exact(case, inputs)
    found = error(run_tile((1, size, 1), case, inputs, fresh), expected)
    assert found <= 30 * error(run("direct", case, inputs), expected)
    if values == "normal" and cost.error_of(case, (1, size, 1)) <= policy.MAX_ERROR:
        assert found <= policy.MAX_ERROR


def test_nan_and_infinity_stay_within_the_tiles_that_read_them(fresh):
    example = conv((13, 13, 13), 8, 16, bias=False, constant=True)
    x, weights, *rest = example.inputs()
    for value in (np.nan, np.inf):
        x[0, 6, 6, 6, 3] = value
        wino = run("winograd", example.case, (x, weights, *rest))
        direct = run("direct", example.case, (x, weights, *rest))
        assert (~np.isfinite(wino) >= ~np.isfinite(direct) * (np.isnan(direct) | (direct != 0))).all()
        far = np.ones(13, bool)
        far[6 - 1 - 3 : 6 + 2 + 3] = False  # the kernel's reach, and up to m - 1 voxels more
        for position in range(3):
            assert np.isfinite(np.compress(far, wino, position + 1)).all()


def test_bits_do_not_depend_on_the_batch(fresh):
    example = conv((6, 7, 9), 16, 24, batch=3, residual=True, constant=True, **ELU)
    x, weights, bias, residual = example.inputs()
    together = run("winograd", example.case, (x, weights, bias, residual))
    for n in range(3):
        one = slice(n, n + 1)
        case = replace(
            example.case, inputs=(x[one].shape, weights.shape, bias.shape, residual[one].shape), out=together[one].shape
        )
        alone = run("winograd", case, (x[one], weights, bias, residual[one]), threads=1)
        assert alone.tobytes() == together[one].tobytes()


def large(**more):
    return conv((32, 32, 32), 32, 32, constant=True, **more).case


def test_the_choice_does_not_look_at_the_batch():
    for sizes in ((4, 4, 4), (8, 8, 8), (32, 32, 32)):
        cases = [conv(sizes, 32, 32, batch=batch, constant=True).case for batch in (1, 2, 17)]
        assert len({cost.fastest(case, 1e-5).tile for case in cases}) == 1
        assert len({table.select(case).implementation.name for case in cases}) == 1


def test_the_table_chooses_it_where_it_pays():
    assert table.select(large()).implementation.name == "winograd"


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (large(strides=(2, 2, 2)), "stride 1"),
        (large(kernel=(1, 1, 1)), "2 to 7 taps"),
        (large(kernel=(9, 1, 1)), "2 to 7 taps"),
        (replace(large(), constant=()), "not known before the run"),
        (conv((32, 32, 32), 1, 32, constant=True).case, "direct is estimated faster"),
        (conv((32, 32, 32), 32, 32, groups=32, constant=True).case, "direct is estimated faster"),
        (large(kernel=(7, 7, 7)), "no tile is expected to keep an error"),
    ],
)
def test_refusals_state_their_reason(case, reason):
    choice = table.select(case)
    assert choice.implementation.name == "direct"
    assert reason in dict(choice.refusals)["winograd"]


def test_tiles_in_segments_of_the_depth_compute_the_same(monkeypatch):
    example = conv((70, 5, 6), 5, 6, batch=2, residual=True, dilations=(2, 1, 1), constant=True)
    inputs = example.inputs()
    whole = run("winograd", example.case, inputs)
    monkeypatch.setattr(blocks, "NEAR_BYTES", 0)
    blocks.arrange.cache_clear()
    segments = int(blocks.arrange(example.case, cost.fastest(example.case, 1.0).tile, False).words[word.SEGMENT])
    assert 1 < segments <= blocks.SEGMENT
    np.testing.assert_array_equal(run("winograd", example.case, inputs), whole)
    blocks.arrange.cache_clear()


def test_large_weights_of_few_tiles_stay_fresh():
    case = conv((4, 14, 14), 512, 512, constant=True).case
    choice = cost.fastest(case, policy.MAX_ERROR)
    assert choice.fresh
    assert math.prod(blocks.arrange(case, choice.tile, True).packed_shape) == math.prod(case.inputs[1])
    assert not cost.fastest(conv((4, 14, 14), 64, 64, constant=True).case, policy.MAX_ERROR).fresh
    assert not cost.fastest(conv((64, 64, 64), 256, 256, constant=True).case, policy.MAX_ERROR).fresh


def test_the_table_of_cases_has_fresh_weights():
    (example,) = (example for example in EXAMPLES if "large weights" in example.name)
    assert conv3d_winograd._choice(example.case).fresh


def test_blocks_of_fresh_weights_compute_the_same(monkeypatch):
    example = conv((12, 12, 13), 70, 40, batch=2, residual=True, constant=True)
    choice = replace(conv3d_winograd._choice(example.case), fresh=True)
    monkeypatch.setattr(conv3d_winograd, "_choice", lambda case: choice)
    whole = run("winograd", example.case, example.inputs())
    monkeypatch.setattr(blocks, "FRESH_BYTES", 0)
    monkeypatch.setattr(blocks, "SLICE_CHANNELS", 16)
    tasks = blocks.arrange(example.case, choice.tile, True).tasks
    blocks.arrange.cache_clear()
    assert blocks.arrange(example.case, choice.tile, True).tasks > tasks
    np.testing.assert_array_equal(run("winograd", example.case, example.inputs()), whole)
    blocks.arrange.cache_clear()


@pytest.mark.parametrize("extras", [{}, {"residual": True}, {"activation": LINEAR, "bias": False}])
def test_results_sent_around_the_caches_are_the_same(extras, monkeypatch):
    example = conv((9, 10, 11), 8, 48, batch=2, constant=True, **extras)
    case, inputs, chosen = example.case, example.inputs(), implementation("winograd")
    kept = run("winograd", case, inputs)
    monkeypatch.setattr(streaming, "LARGE", 0)
    assert conv3d_winograd._sends(case, conv3d_winograd._work(case))
    uneven = conv((9, 10, 11), 8, 40, constant=True).case
    assert not conv3d_winograd._sends(uneven, conv3d_winograd._work(uneven))
    kernel, packed = chosen.load(case), chosen.prepare(case, inputs)
    for first in (0, 1):  # an address that is aligned, and one that is not
        memory = aligned_zeros((kept.size + 32,), np.dtype("float32"))
        out = memory[first : first + kept.size].reshape(kept.shape)
        kernel(*packed, out, np.empty(chosen.scratch(case, 2), np.uint8), *case.params)
        np.testing.assert_array_equal(out, kept)
        assert not memory[:first].any()
        assert not memory[first + kept.size :].any()


def test_strict_never_uses_it(monkeypatch):
    policy.choose(policy.Policy("strict"))
    assert dict(table.select(large()).refusals)["winograd"] == "the policy is strict"
    policy.choose(None)
    monkeypatch.setenv("NB3D_ALGORITHM", "strict")
    assert table.select(large()).implementation.name == "direct"


def test_a_smaller_error_asks_for_smaller_tiles(monkeypatch):
    usual = cost.fastest(large(), policy.current().max_error)
    monkeypatch.setenv("NB3D_MAX_ERROR", "1e-6")
    careful = cost.fastest(large(), policy.current().max_error)
    assert math.prod(careful.tile) < math.prod(usual.tile)
    assert careful.error <= 1e-6 < usual.error
    monkeypatch.setenv("NB3D_MAX_ERROR", "1e-9")
    assert "1e-09" in dict(table.select(large()).refusals)["winograd"]


def test_a_policy_has_to_make_sense():
    with pytest.raises(ValueError, match="auto, strict"):
        policy.Policy("fast")
    with pytest.raises(ValueError, match="at least 0"):
        policy.Policy("auto", math.nan)


def test_forcing_it_overrules_its_estimate(monkeypatch):
    case = conv((6, 6, 6), 1, 2, constant=True).case
    assert table.select(case).implementation.name == "direct"
    monkeypatch.setenv("NB3D_IMPL", "conv3d:winograd")
    assert table.select(case).implementation.name == "winograd"


def test_weights_packed_under_another_policy_are_an_error():
    case = conv((8, 8, 8), 16, 16, constant=True)
    chosen = implementation("winograd")
    prepared = chosen.prepare(case.case, case.inputs())
    policy.choose(policy.Policy("auto", 1e-6))
    scratch = np.empty(chosen.scratch(case.case, 1), np.uint8)
    with pytest.raises(ValueError, match="the policy changed"):
        chosen.load(case.case)(*prepared, case.out(), scratch, *case.case.params)


def test_too_little_scratch_is_an_error():
    example = conv((8, 8, 8), 16, 16, constant=True)
    chosen, case = implementation("winograd"), example.case
    prepared = chosen.prepare(case, example.inputs())
    with pytest.raises(ValueError, match="bytes of scratch, got 100"):
        chosen.load(case)(*prepared, example.out(), np.empty(100, np.uint8), *case.params)
