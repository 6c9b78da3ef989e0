"""`nb3d.warmup(device='cuda')`: kernels in the folder before the first prediction, with the GPU at hand or without.

The GPU at hand is the interpreter; the one that comes later is the stub of a driver.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import nb3d
from nb3d.cli import main
from nb3d.kernels import devices, policy
from nb3d.kernels.cuda import ahead, assembler, diagnosis, program
from nb3d.kernels.cuda.diagnosis import Finding
from nb3d.plan.gpu_binding import programs
from tests.cuda import stub
from tests.cuda.gpu import pretend
from tests.cuda.wheels import needed

pytestmark = needed


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(program, "folder", lambda: tmp_path)
    monkeypatch.setattr(ahead, "folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def gpu(monkeypatch, folder):
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


@pytest.fixture
def no_gpu(monkeypatch, folder):
    monkeypatch.setattr(diagnosis, "verdict", lambda: Finding("driver", False, "there is no driver", "get one"))


ARCHITECTURES = ["sm_80", "sm_90a"]


def card_of(monkeypatch, architecture: str) -> stub.Api:
    """A card that asks its driver for its architecture."""
    found = re.fullmatch(r"sm_(\d+)(\d)a?", architecture)
    parts = {"MAJOR": int(found[1]), "MINOR": int(found[2])}
    api = stub.Api()
    api.values["cuDeviceGetAttribute"] = lambda which, device: parts[which.name.rpartition("_")[2]]
    stub.pretend(monkeypatch, api)
    return api


def test_without_a_gpu_kernels_are_compiled_that_a_later_run_finds(no_gpu, model, folder, monkeypatch):
    count = nb3d.warmup(model, device="cuda", architecture=["9.0", "sm_80", "sm_90"])  # the same card in two spellings
    assert (count.compiled, count.found) == (4, 0)
    assert [len(files(folder, name)) for name in ARCHITECTURES] == [2, 2]
    again = nb3d.warmup(model, device="cuda", architecture=ARCHITECTURES)
    assert (again.compiled, again.found) == (0, 4)

    def never(self):
        raise AssertionError("a kernel is compiled")

    monkeypatch.setattr(program.Program, "_compile", never)
    for name in ARCHITECTURES:
        api = card_of(monkeypatch, name)
        monkeypatch.setattr(devices.gpu().driver, "assemble", never)
        nb3d.Model(model.inputs, model.outputs).predict(np.zeros((1, 2, 2, 2, 3), np.float32), device="cuda")
        loaded = [call[1] for call in api.calls if call[0] == "cuModuleLoadData"]
        assert len(loaded) == 2
        assert all(code[:4] == b"\x7fELF" for code in loaded)


def test_a_card_asks_for_the_name_that_a_user_gives(monkeypatch):
    assert {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_120"} <= {*assembler.known()}
    for name in assembler.known():
        card_of(monkeypatch, name)
        assert devices.gpu().driver.architecture == name
        assert assembler.architectures(name) == (name,)
        capability = f"{name[3:].removesuffix('a')[:-1]}.{name[3:].removesuffix('a')[-1]}"
        for other in (capability, f"sm_{capability.replace('.', '')}", f"{name.removesuffix('a')}a"):
            assert assembler.architectures([other, name]) == (name,)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sm_75", "Too old an architecture 'sm_75': kernels need compute capability 8.0 or later.* sm_80, .*sm_90a, "),
        ("7.0", "Too old an architecture '7.0'"), ("sm_95", "Unknown architecture 'sm_95'.* know sm_80, "),
        ("hopper", "Unknown architecture 'hopper'"), ("sm_9", "Unknown architecture 'sm_9'"), ("", "architecture ''"),
    ],
)  # fmt: skip
def test_an_architecture_that_is_none_is_an_error_that_lists_them(no_gpu, model, folder, name, words):
    with pytest.raises(ValueError, match=words):
        nb3d.warmup(model, device="cuda", architecture=["sm_80", name])
    assert not [*folder.iterdir()]


def test_without_a_gpu_and_a_name_the_error_asks_for_one(no_gpu, model):
    with pytest.raises(RuntimeError, match=r"there is no driver: get one. For a GPU that is not here, name its arch"):
        nb3d.warmup(model, device="cuda")


def test_another_device_has_no_architecture(model):
    with pytest.raises(ValueError, match="expected device='cuda' with it, got 'auto'"):
        nb3d.warmup(model, architecture="sm_80")


def test_the_precision_that_holds_decides_which_kernels(no_gpu, folder, monkeypatch):
    x = nb3d.Input((8, 8, 8, 32))
    model = nb3d.Model(x, nb3d.layers.Conv3D(32, 3, padding="same")(x))
    compiled = []
    for precision in ("float32", "bfloat16", "bfloat16"):
        monkeypatch.setattr(policy, "_chosen", policy.Policy(precision=precision))
        compiled.append(nb3d.warmup(model, device="cuda", architecture="sm_80").compiled)
    assert compiled[0] > 0
    assert compiled[1] > 0
    assert compiled[2] == 0


def test_the_command_line_takes_several_architectures(no_gpu, model, folder, capsys):
    model.save(folder / "network.safetensors")
    command = ["warmup", str(folder / "network.safetensors"), "--device", "cuda"]
    assert main([*command, "--arch", "sm_80,sm_90a"]) == 0
    assert "4 kernels compiled" in capsys.readouterr().out
    assert main([*command, "--arch", "8.0", "--arch", "sm_90"]) == 0
    assert "0 kernels compiled" in capsys.readouterr().out
    assert main([*command, "--arch", "sm_61"]) == 1
    assert "Too old an architecture 'sm_61'" in capsys.readouterr().err
