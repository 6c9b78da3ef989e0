"""Which device a name means, on a machine with and without CUDA."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nb3d
from nb3d.kernels import devices, folders
from nb3d.kernels.cuda import assembler, diagnosis, program, trial_record
from nb3d.plan.function import Function
from tests.cuda import stub
from tests.cuda.wheels import needed


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Nothing is remembered, and the environment of the tests does not count."""
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)
    monkeypatch.delenv("NUMBA_DISABLE_CUDA", raising=False)
    everything = diagnosis.verdict, diagnosis.usable, devices._best
    for remembered in everything:
        remembered.cache_clear()
    yield
    for remembered in everything:
        remembered.cache_clear()


class _Driver:
    def __init__(self, status=0, count=1, capability=(9, 0), version=99000):
        self.status, self.count, self.capability, self.version = status, count, capability, version

    def cuInit(self, flags):
        return self.status

    def cuDeviceGetCount(self, pointer):
        pointer._obj.value = self.count
        return 0

    def cuDeviceGetAttribute(self, pointer, which, device):
        pointer._obj.value = self.capability[which - diagnosis.MAJOR]
        return 0

    def cuDriverGetVersion(self, pointer):
        pointer._obj.value = self.version
        return 0

    def cuDeviceGetName(self, name, size, device):
        name.value = b"A GPU"
        return 0


def pretend(monkeypatch, driver, packages=True):
    monkeypatch.setattr(diagnosis, "_driver", lambda: driver)
    monkeypatch.setattr(diagnosis.importlib.util, "find_spec", lambda name: object() if packages else None)
    monkeypatch.setattr(diagnosis, "_version", lambda package: "13.5.37")


def test_cpu_is_the_first_device_and_always_there():
    cpu = devices.devices()[0]
    assert cpu.name == "cpu"
    assert cpu.available()[0]
    assert devices.resolve("cpu") is cpu


def test_unknown_name_lists_the_known():
    for function in (devices.resolve, devices.named):
        with pytest.raises(ValueError, match="Unknown device 'gpu': choose 'auto', 'cpu', 'cuda'"):
            function("gpu")


@pytest.mark.parametrize(
    ("driver", "packages", "words"),
    [
        (None, True, "the NVIDIA driver .libcuda. is not installed"),
        (_Driver(status=100), True, "error 100"),
        (_Driver(count=0), True, "finds no GPU"),
        (_Driver(), False, r'pip install "nb3d\[cuda\]"'),
        (_Driver(capability=(7, 5)), True, "compute capability 7.5, nb3d needs 8.0"),
        (_Driver(version=12080), True, r"supports CUDA 12.8, older than the installed compilers, 13.5.37: update"),
    ],
)
def test_cuda_by_name_says_why_not_and_what_to_do(monkeypatch, driver, packages, words):
    pretend(monkeypatch, driver, packages)
    with pytest.raises(RuntimeError, match=words):
        devices.resolve("cuda")


def test_cuda_by_name_where_all_is_well(monkeypatch):
    pretend(monkeypatch, _Driver(count=2))
    assert devices.resolve("cuda").name == "cuda"
    assert devices.CUDA.available() == (
        True, "2 GPUs, numba-cuda 13.5.37, the GPU has compute capability 9.0 (A GPU), supports CUDA 99.0",
    )  # fmt: skip


def test_a_toolkit_that_pip_does_not_know_is_asked_itself(monkeypatch):
    monkeypatch.setattr(diagnosis, "_version", lambda package: None)
    monkeypatch.setattr(assembler, "versions", lambda: {"nvJitLink": "13.5"})
    monkeypatch.setattr(diagnosis, "_driver", lambda: _Driver(version=12080))
    monkeypatch.setattr(diagnosis.importlib.util, "find_spec", lambda name: object())
    with pytest.raises(RuntimeError, match=r"supports CUDA 12.8, older than the installed compilers, 13.5: update"):
        devices.resolve("cuda")
    diagnosis.verdict.cache_clear()
    monkeypatch.setattr(assembler, "versions", missing)
    assert devices.resolve("cuda").name == "cuda"  # what was compiled before may still run


@pytest.mark.parametrize("name", ["NUMBA_ENABLE_CUDASIM", "NUMBA_DISABLE_CUDA"])
def test_neither_the_simulator_nor_a_disabled_numba_is_a_device(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    available, reason = devices.CUDA.available()
    assert not available
    assert name in reason
    assert str(diagnosis.compilers()) == reason


def dense():
    x = nb3d.Input((4,), name="x")
    return nb3d.Model(x, nb3d.layers.Dense(3, name="dense")(x))


X = np.ones((2, 4), np.float32)


def test_a_plan_for_cuda_needs_none(monkeypatch):
    pretend(monkeypatch, None, packages=False)
    table = str(dense().plan((2, 4), device="cuda"))
    assert "dense" in table
    assert "host: " not in table
    with pytest.raises(ValueError, match="Unknown device 'gpu'"):
        dense().plan((2, 4), device="gpu")


@pytest.mark.parametrize(
    "run",
    [
        lambda model: model.predict(X, device="cuda"), lambda model: model.predict(X[:0], device="cuda"),
        lambda model: model.predict_on_batch(X, device="cuda"), lambda model: model.predict_on_device(X),
        lambda model: model.layer_outputs(X, device="cuda"),
        lambda model: nb3d.function(model.inputs, model.outputs, device="cuda")([X]),
        lambda model: nb3d.function(model.inputs, model.outputs, device="cuda").on_device([X]),
    ],
)  # fmt: skip
def test_to_run_there_needs_one_and_the_cpu_goes_on(monkeypatch, run):
    pretend(monkeypatch, None)
    model = dense()
    monkeypatch.setattr(Function, "_schedule", lambda *arguments: pytest.fail("a plan is made for nobody"))
    with pytest.raises(RuntimeError, match=r"'cuda' is not available: the NVIDIA driver .* install it"):
        run(model)
    monkeypatch.undo()
    assert model.predict(X, device="cpu").shape == (2, 3)


def missing(*arguments):
    raise ImportError("libnvvm.so is missing")


@pytest.mark.parametrize(
    ("packages", "words"), [(False, "numba-cuda is not installed"), (True, "libnvvm.so is missing")]
)
def test_missing_compilers_are_a_finding_with_the_remedy(monkeypatch, packages, words):
    pretend(monkeypatch, None, packages)
    monkeypatch.setattr(assembler, "versions", missing)
    found = diagnosis.compilers()
    assert not found.good
    assert words in found.detail
    assert "nb3d[cuda]" in found.remedy
    with pytest.raises(RuntimeError, match=rf'Kernels for sm_80, 9.0 cannot be compiled: .*{words}.*"nb3d\[cuda\]"'):
        nb3d.warmup(dense(), device="cuda", architecture=["sm_80", "9.0"])


def test_compilers_that_go_missing_are_an_error_with_the_remedy_and_the_cpu_goes_on(monkeypatch):
    monkeypatch.setattr(program, "folder", lambda: None)
    monkeypatch.setattr(program.Program, "_compile", missing)
    stub.pretend(monkeypatch, stub.Api())
    model = dense()
    pretend(monkeypatch, None)
    monkeypatch.setattr(assembler, "versions", lambda: {"NVVM": "2.0"})
    with pytest.raises(ImportError, match=r"libnvvm.so is missing"):  # the compilers are good: it is something else
        model.predict(X, device="cuda")
    monkeypatch.setattr(assembler, "versions", missing)
    with pytest.raises(RuntimeError, match=r'for sm_99 cannot be compiled: .*libnvvm.so is missing.*"nb3d\[cuda\]"'):
        model.predict(X, device="cuda")
    assert model.predict(X, device="cpu").shape == (2, 3)


@needed
def test_compilers_that_are_there_are_named():
    assert re.fullmatch(r"NVVM [\d.]+, nvJitLink [\d.]+", str(diagnosis.compilers()))


def test_auto_is_the_cpu_without_a_word_where_there_is_no_gpu(monkeypatch):
    pretend(monkeypatch, None)
    assert devices.resolve("auto").name == "cpu"
    assert devices.resolve().name == "cpu"


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """A folder for what is kept."""
    monkeypatch.setattr(trial_record, "folder", lambda: tmp_path)
    return tmp_path


def test_auto_is_the_gpu_once_its_kernels_have_been_tried_there(monkeypatch, kept):
    pretend(monkeypatch, _Driver())
    monkeypatch.setattr(diagnosis, "try_compiler", lambda: diagnosis.Finding("compiler", True, "compiles"))
    with pytest.warns(RuntimeWarning, match=r"on the CPU: nb3d's kernels have not been tried on A GPU, CUDA 99000 yet"):
        assert devices.resolve("auto").name == "cpu"
    assert devices.resolve("cuda").name == "cuda"
    assert trial_record.remember()
    devices._best.cache_clear()
    assert devices.resolve("auto").name == "cuda"


@pytest.mark.parametrize("change", ["card", "driver", "damage", "kernels", "no folder"])
def test_what_was_tried_elsewhere_counts_for_nothing(monkeypatch, kept, change):
    pretend(monkeypatch, _Driver())
    assert trial_record.remember()
    if change == "card":
        monkeypatch.setattr(diagnosis, "_name", lambda driver: "Another GPU")
    elif change == "driver":
        pretend(monkeypatch, _Driver(version=99010))
    elif change == "damage":
        (path,) = kept.glob("*.passed")
        path.write_bytes(path.read_bytes()[1:])
    else:
        new = None if change == "no folder" else kept / "of other sources"
        monkeypatch.setattr(trial_record, "folder", lambda: new)
    assert not trial_record.finding().good


def test_where_nothing_can_be_kept_remembering_says_so(monkeypatch):
    pretend(monkeypatch, _Driver())
    monkeypatch.setattr(trial_record, "folder", lambda: None)
    assert not trial_record.remember()


def test_a_cleared_cache_forgets_the_trial(monkeypatch, tmp_path):
    pretend(monkeypatch, _Driver())
    place = tmp_path / ("0" * 20)
    monkeypatch.setattr(trial_record, "folder", lambda: place)
    assert trial_record.remember()
    folders.clear(tmp_path)
    assert not trial_record.finding().good


def test_auto_warns_once_of_a_gpu_that_cannot_be_used(monkeypatch, kept):
    pretend(monkeypatch, _Driver())
    trial_record.remember()
    monkeypatch.setattr(diagnosis, "try_compiler", lambda: diagnosis.Finding("compiler", False, "no NVVM", "install"))
    with pytest.warns(RuntimeWarning, match="runs on the CPU: no NVVM: install") as seen:
        chosen = [devices.resolve("auto").name, devices.resolve("auto").name]
    assert chosen == ["cpu", "cpu"]
    assert len(seen) == 1


def test_a_compiler_that_fails_is_a_finding_with_the_remedy(monkeypatch):
    from nb3d.kernels.cuda import strides

    def broken(*arguments):
        raise OSError("libnvvm.so is missing")

    monkeypatch.setattr(strides, "map_program", broken)
    found = diagnosis.try_compiler()
    assert not found.good
    assert "libnvvm.so is missing" in found.detail
    assert "nb3d[cuda]" in found.remedy


@needed
def test_the_test_kernel_compiles():
    assert diagnosis.try_compiler().good
