"""`nb3d doctor --test`: what it tries, what it finds out, what it remembers; the GPU is the interpreter."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from nb3d import layers, ops
from nb3d.cli import doctor, main
from nb3d.kernels import policy, table
from nb3d.kernels.cuda import trial_record
from nb3d.kernels.cuda.diagnosis import Finding
from nb3d.models import gpu_trial
from tests.cuda.gpu import pretend
from tests.cuda.wheels import needed

pytestmark = needed
SMALL = {"small": lambda x: [layers.ReLU()(x), ops.sum(x, axis=(1, 2))]}


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(gpu_trial, "VOLUME", (2, 2, 3))
    monkeypatch.setattr(gpu_trial, "NETWORKS", dict(SMALL))
    monkeypatch.setattr(doctor, "probe", lambda: [Finding("GPU", True, "the interpreter")])
    monkeypatch.setattr(doctor, "try_compiler", lambda: Finding("compiler", True, "compiles"))
    monkeypatch.setattr(trial_record, "remember", lambda: True)
    return pretend(monkeypatch)


def test_every_kernel_of_the_gpu_is_tried(monkeypatch):
    pretend(monkeypatch)
    monkeypatch.setattr(policy, "_chosen", None)  # the environment decides
    asked = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a step on the host is a warning
        for _, precision, model in gpu_trial.models():
            monkeypatch.setenv("NB3D_PRECISION", precision)
            plan = model.plan((gpu_trial.SAMPLES, *model.input_shape[1:]), device="cuda").schedule
            asked |= {item.choice.implementation.load.__module__ for item in plan.steps} - {"nb3d.kernels.case"}
            asked |= {item.choice.implementation.name for item in plan.steps}
    known = {row[2] for row in table._ROWS if row[1] == "cuda"}
    assert known <= asked


def test_a_gpu_that_computes_the_same_passes(gpu, capsys):
    assert main(["doctor", "--test"]) == 0
    out = capsys.readouterr().out
    assert "ok  small, float32: largest error" in out
    assert "device='auto' uses the GPU from now on" in out


def test_a_gpu_that_computes_something_else_does_not(gpu, capsys, monkeypatch):
    read = gpu.read

    def wrong(address, out):
        read(address, out)
        out.reshape(-1)[:1] += 1

    gpu.read = wrong
    monkeypatch.setattr(trial_record, "remember", None)
    assert main(["doctor", "--test"]) == 1
    out, err = capsys.readouterr()
    assert "NO  small, float32: largest error" in out
    assert "the GPU does not compute what the CPU computes: small, float32" in err


def test_a_gpu_that_is_not_the_same_twice_does_not(gpu):
    read, rng = gpu.read, np.random.default_rng(0)

    def noisy(address, out):
        read(address, out)
        out += np.float32(1e-6) * rng.standard_normal(out.shape, dtype=np.float32)

    gpu.read = noisy
    (result,) = gpu_trial.trial()
    assert (result.passed, result.detail) == (False, "two runs differ")


def test_an_error_of_the_driver_is_a_result(gpu):
    def lost(address, out):
        raise RuntimeError("the GPU has fallen off the bus")

    gpu.read = lost
    (result,) = gpu_trial.trial()
    assert not result.passed
    assert "the GPU has fallen off the bus" in result.detail


def test_without_a_gpu_there_is_nothing_to_test(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "probe", lambda: [Finding("driver", False, "there is no driver", "install it")])
    assert main(["doctor", "--test"]) == 1
    assert "without a GPU there is nothing to test: there is no driver: install it" in capsys.readouterr().err


def test_doctor_says_whether_auto_uses_the_gpu(gpu, monkeypatch, capsys):
    untried = Finding("trial", False, "not tried yet", "`nb3d doctor --test`")
    monkeypatch.setattr(trial_record, "finding", lambda: untried)
    main(["doctor"])
    assert "device='auto' does not use it: not tried yet: `nb3d doctor --test`." in capsys.readouterr().out
