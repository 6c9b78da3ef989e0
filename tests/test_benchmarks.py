"""The benchmarks compare equal work: the networks are the same everywhere, and tables say what was measured."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from xml.etree import ElementTree

import numpy as np
import pytest

import nb3d
from benchmarks import architectures, chart, interleave, report, resident, stages, tables, workloads
from benchmarks.client import Client, MissingError, WorkerError
from benchmarks.frameworks import FRAMEWORKS, channels_first, keras_like
from benchmarks.networks import Network, Step
from benchmarks.tables import FAILED, MISSING, Measurement, Row
from benchmarks.workloads import Group, convolution, layer

SINGLE = [network for group in workloads.groups() if not group.whole for network in group.networks]
SMALL = [
    architectures.unet(8, levels=2, base=2),
    architectures.unet(16, levels=3, base=8, norm=architectures.GROUPS),
    architectures.unet(16, levels=3, base=4, norm=architectures.INSTANCE),
    architectures.resnet18((4, 16, 16), base=4, classes=3),
    architectures.c3d((16, 32, 32), base=2, dense=8, classes=3),
]


def build(network: Network) -> nb3d.Model:
    try:
        return keras_like.build(nb3d, network)
    except NotImplementedError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("network", SMALL, ids=lambda network: network.name)
def test_a_network_survives_the_way_to_a_worker(network: Network) -> None:
    assert Network.from_json(network.to_json()) == network


def test_every_network_has_a_name_of_its_own() -> None:
    names = [network.name for group in workloads.groups() for network in group.networks]
    assert len(set(names)) == len(names)


def test_flops_are_those_of_the_definition() -> None:
    network = convolution((8, 9, 10), 3, 5, strides=(2, 2, 2))
    assert network.shapes()["conv"] == (1, 4, 5, 5, 5)
    assert network.flops() == 2 * (4 * 5 * 5) * 27 * 3 * 5
    sizes = [
        round(whole.flops() / 1e9) for whole in (architectures.unet(), architectures.resnet18(), architectures.c3d())
    ]
    assert sizes == [112, 81, 77]  # the papers': 40.7 and 38.5 billion multiply-adds


@pytest.mark.parametrize("network", SMALL, ids=lambda network: network.name)
def test_nb3d_builds_the_network_that_was_described(network: Network) -> None:
    model = build(network)
    output = model.predict_on_batch(network.volume())
    assert output.shape == network.shapes()[network.output]
    assert np.isfinite(output).all()
    assert sum(len(arrays) for arrays in network.weights().values()) == len(model.weights)


@pytest.mark.parametrize("network", SINGLE, ids=lambda network: network.name)
def test_a_layer_that_is_timed_agrees_with_the_reference_on_a_smaller_volume(network: Network, monkeypatch) -> None:
    monkeypatch.setenv("NB3D_VALIDATE", "1")  # raises where a step differs
    batch, *sides, channels = network.shape
    smaller = dataclasses.replace(network, shape=(batch, *(min(side, 12) for side in sides), channels))
    output = build(smaller).predict_on_batch(smaller.volume())
    assert output.shape == smaller.shapes()[smaller.output]


def test_an_unknown_step_is_refused() -> None:
    network = Network("odd", (1, 4, 4, 4, 1), (Step("odd", "shuffle", ("volume",)),))
    with pytest.raises(ValueError, match="shuffle"):
        keras_like.build(nb3d, network)


def test_a_layer_that_keras_does_not_have_is_said_to_be_missing() -> None:
    class Layers:
        __name__ = "layers"
        Conv3D = nb3d.layers.Conv3D

    class Library:
        Input, layers = staticmethod(nb3d.Input), Layers()

    with pytest.raises(NotImplementedError, match="GroupNormalization"):
        keras_like.build(Library, layer("group_norm", (4, 4, 4), 8, groups=-1))


def test_a_dense_kernel_takes_a_volume_that_was_flattened_channels_first() -> None:
    steps = (Step("dense", "dense", ("volume",), filters=5),)
    network = Network("dense", (2, 2, 3, 4, 6), steps)
    want = network.volume().reshape(2, -1) @ network.weights()["dense"][0]
    got = channels_first.volume(network).reshape(2, -1) @ channels_first.weights(network)["dense"][0].T
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_a_worker_builds_runs_and_says_what_it_cannot() -> None:
    client = Client("nb3d", sys.executable, threads=1)
    try:
        network = convolution((4, 5, 6), 2, 3)
        with pytest.raises(WorkerError, match="No network is prepared"):
            client.run(1)
        client.prepare(network)
        assert len(client.run(2)) == 2
        np.testing.assert_array_equal(client.output(), build(network).predict_on_batch(network.volume()))
        with pytest.raises(WorkerError, match="shuffle") as caught:
            client.prepare(Network("odd", (1, 4, 4, 4, 1), (Step("odd", "shuffle", ("volume",)),)))
        assert not isinstance(caught.value, MissingError)
    finally:
        client.close()


class Clock:
    """A client whose runs take what it says."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def run(self, count: int) -> list[float]:
        return [self.seconds] * count


def rounds_of(seconds: Sequence[float], **options: float) -> list[int]:
    runners = [interleave.Runner(Clock(each)) for each in seconds]  # type: ignore[arg-type]
    interleave.interleave(runners, 9, **options)
    return [len(runner.seconds) for runner in runners]


def test_who_is_far_behind_the_second_or_slow_sits_out() -> None:
    assert rounds_of([1.0, 7.0, 1.5, 10.0]) == [9, 3, 9, 1]
    assert rounds_of([0.1, 0.9], far=float("inf")) == [9, 9]


def test_a_peak_of_memory_is_what_was_there_since_it_was_forgotten() -> None:
    if not resident.forget_peak():
        pytest.skip("this system cannot forget a peak")
    size = 1 << 26
    before = resident.resident()
    held = np.ones(size, np.uint8)
    assert resident.peak() > before + size * 0.9
    del held
    resident.give_back()
    resident.forget_peak()
    assert resident.peak() < before + size * 0.5


def test_stages_are_told_apart_and_counted() -> None:
    network = convolution((16, 16, 16), 32, 32)
    found = stages.measure(network, runs=2)
    assert found.products_macs == 4**3 * 6**3 * 32 * 32  # 64 tiles of 4 voxels a side, 6 frequencies along each
    assert found.products > 0
    assert (found.others, found.others_macs, found.rest) == (0, 0, 0)
    direct = stages.measure(convolution((8, 8, 8), 4, 4, strides=(2, 2, 2)), runs=1)
    assert (direct.products, direct.others_macs) == (0, 4**3 * 27 * 4 * 4)


def test_a_kernel_without_its_transforms_writes_no_output() -> None:
    network = convolution((8, 8, 8), 32, 32)
    model = build(network)
    item = model.plan(network.shape[1:]).schedule.steps[0]
    assert item.choice.implementation.name == "winograd"
    case, implementation = item.case, item.choice.implementation
    kernel, bias = network.weights()["conv"]
    absent = np.empty(0, np.float32)
    inputs = implementation.prepare(case, (network.volume(), kernel, bias, absent))
    out = np.full(case.out, 7, np.float32)
    scratch = np.zeros(implementation.scratch(case, 2), np.uint8)
    stages.without_transforms(case)(*inputs, out, scratch, *case.params)
    assert (out == 7).all()


RESULTS: dict[str, Measurement | str] = {
    "nb3d": Measurement([0.010, 0.012, 0.011], 0.0, True),
    "PyTorch": Measurement([0.022, 0.022, 0.9], 1e-6, True),
    "ONNX Runtime": Measurement([0.011], 0.5, False),
    "OpenVINO f32": FAILED,
    "TensorFlow": MISSING,
    "OpenVINO bf16": Measurement([0.0055], 0.01, True),
}
ROW = Row(convolution((64, 64, 64), 32, 32), RESULTS)


def test_the_table_compares_with_the_fastest_float32_peer_and_leaves_out_what_differs() -> None:
    whole = tables.results(Group("a", "A", (), whole=True), [ROW], list(FRAMEWORKS))
    figures = "11.0 (1318) | 22.0 (659) | 11.0 (1318), differs by 5e-01 | failed | not there"
    assert whole.splitlines()[-1] == f"| 64x64x64, 32 to 32 | 14.5 | {figures} | 5.5 (2636) | 2.00 | 0.50 |"
    single = tables.results(Group("a", "A", ()), [ROW], list(FRAMEWORKS))
    assert single.splitlines()[-1] == f"| 64x64x64, 32 to 32 | 14.5 | {figures} | 2.00 |"


def test_layers_without_products_are_measured_in_bytes() -> None:
    row = Row(layer("relu", (64, 64, 64), 32), {"nb3d": Measurement([0.001], 0.0, True)})
    table = tables.results(Group("a", "A", ()), [row], ["nb3d"])
    assert table.splitlines()[0].startswith("| network | MB |")
    assert table.splitlines()[-1] == "| 64x64x64, 32, ReLU | 67 | 1.0 (67) | - |"


def test_the_summary_has_the_geometric_mean_and_the_least_of_every_group() -> None:
    slower = dict(RESULTS) | {"nb3d": Measurement([0.044], 0.0, True)}
    rows = [ROW, Row(convolution((8, 8, 8), 4, 4), slower), Row(convolution((8, 8, 8), 4, 8), {"nb3d": FAILED})]
    summary = tables.summary([(Group("a", "A", (), mean=3.0, least=2.0), rows), (Group("b", "B", ()), rows[2:])])
    assert summary.splitlines()[-2:] == [
        "| A | 2 of 3 | mean 3, each 2 | 1.00 | 0.50 | 8x8x8, 4 to 4 |",
        "| B | 0 of 1 | - | - | - | - |",
    ]


def test_bfloat16_is_judged_by_the_mean_and_float32_by_the_worst_voxel() -> None:
    expected = np.ones((1, 10, 10, 10, 1), np.float32)
    got = expected.copy()
    got[0, 0, 0, 0] = 1.5
    assert FRAMEWORKS["PyTorch"].difference(got, expected) == 0.5
    assert FRAMEWORKS["OpenVINO bf16"].difference(got, expected) == pytest.approx(0.5 / np.sqrt(1000), rel=1e-5)
    got[0, 0, 0, 0] = np.nan
    assert FRAMEWORKS["PyTorch"].difference(got, expected) == np.inf


def test_a_block_is_replaced_and_the_rest_of_the_page_left_alone() -> None:
    page = "before\n<!-- bench:start -->\nold\n<!-- bench:end -->\nafter\n"
    once = report.replaced(page, "bench", "new \\1")
    assert once == "before\n<!-- bench:start -->\nnew \\1\n<!-- bench:end -->\nafter\n"
    assert report.replaced(once, "bench", "new \\1") == once
    with pytest.raises(ValueError, match="cold:start"):
        report.replaced(page, "cold", "x")


def test_a_page_of_results_keeps_the_blocks_that_are_not_measured_anew() -> None:
    page = report.replaced(report.TEMPLATE, "memory", "| a | b |")
    assert report.renewed(page) == page
    assert report.renewed(
        "# Old\n<!-- cold:start -->\nfigures\n<!-- cold:end -->\n<!-- odd:start -->"
    ) == report.replaced(report.TEMPLATE, "cold", "figures")


def test_the_picture_has_a_bar_for_every_figure_of_the_page() -> None:
    page = "| network | GFLOP | nb3d | PyTorch | ratio |\n| --- | --- | --- | --- | --- |\n"
    page += "| a <b> | 1.0 | 2.0 (5) | 6.0 (2) | 3.00 |\n| c | 1.0 | 10 (1) | not there | - |\n"
    networks = chart.times_in(f"{page}\nMachine: none")
    assert networks == {"a <b>": {"nb3d": 2.0, "PyTorch": 6.0}, "c": {"nb3d": 10.0}}
    root = ElementTree.fromstring(chart.draw(networks))
    bars = [float(bar.attrib["width"]) for bar in root.iter("{http://www.w3.org/2000/svg}rect")][2:]
    assert bars[1] == pytest.approx(3 * bars[0], rel=1e-3)
    assert bars[2] == pytest.approx(bars[0], rel=1e-3)
    with pytest.raises(ValueError, match="make bench"):
        chart.times_in("nothing")
