"""The benchmarks compare equal work: the networks are the same everywhere, and tables say what was measured."""

from __future__ import annotations

import numpy as np
import pytest

import nb3d
from benchmarks import report
from benchmarks.frameworks import keras_like
from benchmarks.networks import Network, Step, single_convolution, unet
from benchmarks.report import Measurement, Row
from benchmarks.workloads import workloads


def test_a_network_survives_the_way_to_a_worker() -> None:
    network = unet(side=16, levels=2, base=4)
    assert Network.from_json(network.to_json()) == network


def test_the_design_s_shapes_come_first_and_the_unet_last() -> None:
    networks = workloads()
    assert [network.name for network in networks[:4]] == [
        "64x64x64, 32 to 32", "32x32x32, 64 to 64", "16x16x16, 128 to 128", "16x56x56, 64 to 128",
    ]  # fmt: skip
    assert networks[-1] == unet()
    assert len({network.name for network in networks}) == len(networks)


def test_flops_are_those_of_the_definition() -> None:
    network = single_convolution("strided", (1, 8, 9, 10, 3), filters=5, strides=(2, 2, 2))
    assert network.shapes()["conv"] == (1, 4, 5, 5, 5)
    assert network.flops() == 2 * (4 * 5 * 5) * 27 * 3 * 5
    assert round(unet().flops() / 1e9) == 112


@pytest.mark.parametrize(
    "network",
    [
        unet(side=8, levels=2, base=2),
        single_convolution("a", (2, 5, 6, 7, 4), filters=6, strides=(2, 1, 2), groups=2, bias=False),
        single_convolution("b", (1, 9, 9, 9, 2), filters=3, kernel=(1, 2, 3), dilation=(2, 2, 2), padding="valid"),
    ],
)
def test_nb3d_builds_the_network_that_was_described(network: Network) -> None:
    model = keras_like.build(nb3d, network)
    output = model.predict_on_batch(network.volume())
    assert output.shape == network.shapes()[network.steps[-1].name]
    assert np.isfinite(output).all()
    assert sum(len(arrays) for arrays in network.weights().values()) == len(model.weights)


def test_an_unknown_step_is_refused() -> None:
    network = Network("odd", (1, 4, 4, 4, 1), (Step("odd", "shuffle", ("volume",)),))
    with pytest.raises(ValueError, match="shuffle"):
        keras_like.build(nb3d, network)


def test_the_table_compares_with_the_fastest_peer_and_leaves_out_what_differs() -> None:
    results = {
        "nb3d": Measurement([0.010, 0.012, 0.011], 0.0, True),
        "A": Measurement([0.022, 0.022, 0.9], 1e-6, True),
        "B": Measurement([0.011], 0.5, False),
        "C": "C ended with code 1",
    }
    table = report.table([Row("net", 11_000_000_000, results)], list(results), "nb3d")
    last = table.splitlines()[-1]
    assert last == "| net | 11.0 | 11.0 (1000) | 22.0 (500) | 11.0 (1000), differs by 5e-01 | failed | 2.00 |"


def test_a_block_is_replaced_and_the_rest_of_the_page_left_alone() -> None:
    page = "before\n<!-- bench:start -->\nold\n<!-- bench:end -->\nafter\n"
    once = report.replaced(page, "bench", "new \\1")
    assert once == "before\n<!-- bench:start -->\nnew \\1\n<!-- bench:end -->\nafter\n"
    assert report.replaced(once, "bench", "new \\1") == once
    with pytest.raises(ValueError, match="cold:start"):
        report.replaced(page, "cold", "x")
