"""`make bench-gpu` from its first line to its last one, on the interpreter and beside no peer."""

from __future__ import annotations

import sys

import pytest

from benchmarks import gpu as bench
from benchmarks.gpu_targets import COMPILED, EAGER, Measured, targets
from benchmarks.networks import INPUT, Network, Step
from nb3d.kernels import policy
from tests.cuda.gpu import pretend
from tests.cuda.wheels import needed


def layer(seconds, precision="float32", whole=False, **peers):
    named = {{"eager": EAGER, "compiled": COMPILED}[name]: value for name, value in peers.items()}
    return Measured("work", precision, whole, seconds, 10**9, 0.0, named)


def test_targets_are_geometric_means_of_what_is_known():
    results = [
        layer(1e-3, eager=2e-3), layer(1e-3, eager=8e-3), layer(1e-3, eager="OutOfMemoryError"),
        layer(1e-3, "tf32", eager=1e-3), layer(2e-3, whole=True, eager=3e-3, compiled=1e-3),
    ]  # fmt: skip
    lines = list(targets(results, ceiling=2.0))
    assert lines[2] == "| 3x3x3 layers, float32, beside PyTorch | 1.0 | 4.00 | 2 |"
    assert lines[4].endswith("| 1.00 | 1 |")
    assert lines[5].endswith("| owed | 0 |")
    assert lines[6] == "| networks, float32, beside PyTorch | 1.5 | 1.50 | 1 |"
    assert lines[7] == "| networks, float32, beside torch.compile | 1.0 | 0.50 | 1 |"
    assert lines[8] == "| networks, fast_float32, beside PyTorch | 1.5 | owed | 0 |"
    assert lines[10].endswith("| 75% | 50% | 3 |")
    assert list(targets([], None))[-1].endswith("| owed | 0 |")


def test_a_row_says_why_a_peer_has_no_time():
    assert layer(1e-3, eager="OutOfMemoryError").row().endswith("| OutOfMemoryError | - |")
    assert layer(1e-3, eager=2e-3).row().endswith("| 2000.0 (2.00) | - |")


@needed
def test_the_whole_of_it(monkeypatch, capsys):
    pretend(monkeypatch)
    monkeypatch.setattr(policy, "_chosen", None)  # the benchmark chooses one precision after the other
    monkeypatch.setattr(bench, "REPEATS", 2)
    monkeypatch.setattr(bench, "WARM_UP", 1)
    step = Step("convolution", "conv", (INPUT,), filters=8)
    monkeypatch.setattr(bench, "workloads", lambda: iter([Network("small", (1, 2, 3, 4, 8), (step,))]))
    monkeypatch.setattr(bench, "compile_all", lambda programs, architectures: len(list(programs)))
    monkeypatch.setattr(sys, "argv", ["gpu", "--without-peer"])
    bench.main()
    out = capsys.readouterr().out
    for precision in bench.PRECISIONS:
        assert f"| small | {precision} | 1000.0 |" in out
    assert "kernels compiled or found" in out
    assert "| networks, float32, beside torch.compile | 1.0 | owed | 0 |" in out


def test_what_cannot_be_measured_says_why():
    def fails():
        raise ValueError("no cuDNN here\nand more")

    assert bench.measured(fails) == "ValueError: no cuDNN here"
    assert bench.measured(lambda: 2.0) == pytest.approx(2.0)
