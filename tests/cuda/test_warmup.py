"""`nb3d.warmup(device='cuda')`: kernels in the folder before the first prediction; the GPU is the interpreter."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import nb3d
from nb3d.cli import main
from nb3d.kernels.cuda import program
from nb3d.plan.gpu_binding import programs
from tests.cuda.gpu import pretend
from tests.cuda.wheels import needed

pytestmark = needed


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    monkeypatch.setattr(program, "folder", lambda: tmp_path)
    return pretend(monkeypatch)


@pytest.fixture
def model():
    x = nb3d.Input((2, 2, 2, 3))
    return nb3d.Model(x, nb3d.layers.GlobalAveragePooling3D()(nb3d.layers.ReLU()(x)))


def files(folder: Path, architecture: str) -> list[str]:
    return [path.name for path in folder.glob(f"*.{architecture}")]


def test_kernels_are_compiled_and_nothing_runs(gpu, model, tmp_path):
    count = nb3d.warmup(model, device="cuda")
    assert count.compiled == len(files(tmp_path, "interpreter")) == 2
    assert count.seconds > 0
    assert (gpu.launches, gpu.allocations) == (0, 0)


def test_a_prediction_then_compiles_nothing(gpu, model, tmp_path):
    nb3d.warmup(model, (5, 2, 2, 2, 3), device="cuda")
    before = sorted(tmp_path.iterdir())
    model.predict(np.zeros((5, 2, 2, 2, 3), np.float32), device="cuda")
    assert sorted(tmp_path.iterdir()) == before


def test_kernels_of_another_process_are_found(gpu, model, monkeypatch):
    nb3d.warmup(model, device="cuda")
    pretend(monkeypatch)  # a run time that has loaded nothing
    count = nb3d.warmup(model, device="cuda")
    assert (count.compiled, count.found) == (0, 2)


def test_the_programs_are_those_that_a_run_launches(gpu, model):
    seen = []
    bind = gpu.bind
    gpu.bind = lambda kernel, *rest: (seen.append(kernel.kernel.name), bind(kernel, *rest))[1]
    model.predict(np.zeros((1, 2, 2, 2, 3), np.float32), device="cuda")
    wanted = {re.search(r"\.entry\s+(\w+)", item.ptx())[1] for item in programs(model.plan(device="cuda").schedule)}
    assert set(seen) == wanted


def test_the_command_line_does_the_same(gpu, model, tmp_path, capsys):
    model.save(tmp_path / "network.safetensors")
    main(["warmup", str(tmp_path / "network.safetensors"), "--device", "cuda"])
    assert "2 kernels compiled" in capsys.readouterr().out
