"""The table: complete, lazy, and obedient to NB3D_IMPL."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from nb3d.kernels import table
from nb3d.kernels.case import Case
from tests.kernels.cases import EXAMPLES

RELU = Case("relu", ((4,),), ("float32",), (4,), "float32", (0.0, float("inf")))
INTEGERS = Case("relu", ((4,),), ("int32",), (4,), "int32", (0.0, float("inf")))


@pytest.mark.parametrize("op", table.operations())
def test_every_operation_ends_with_a_reference_and_has_a_case(op):
    assert table.implementations(op)[-1].name == "reference"
    mine = [example for example in EXAMPLES if example.case.op == op]
    assert mine
    for example in mine:
        assert table.implementations(op)[-1].accepts(example.case) is None


@pytest.mark.parametrize("op", table.operations())
def test_every_kernel_accepts_a_case(op):
    for implementation in table.implementations(op):
        assert any(e.case.op == op and implementation.accepts(e.case) is None for e in EXAMPLES), implementation.name


def test_names_are_unique_per_operation():
    for op in table.operations():
        names = [implementation.name for implementation in table.implementations(op)]
        assert len(names) == len(set(names))


def test_example_names_are_unique():
    names = [example.name for example in EXAMPLES]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_refusals_state_their_reason():
    choice = table.select(INTEGERS)
    assert choice.implementation.name == "reference"
    ((name, reason),) = choice.refusals
    assert name == "flat"
    assert "int32" in reason


def test_forcing_an_implementation(monkeypatch):
    monkeypatch.setenv("NB3D_IMPL", "conv3d:direct, relu:reference")
    assert table.select(RELU).implementation.name == "reference"


def test_forcing_all_of_one_name(monkeypatch):
    monkeypatch.setenv("NB3D_IMPL", "*:reference,relu:flat")
    assert table.select(RELU).implementation.name == "flat"
    monkeypatch.setenv("NB3D_IMPL", "*:reference")
    assert table.select(RELU).implementation.name == "reference"


def test_forcing_one_that_refuses_says_why(monkeypatch):
    monkeypatch.setenv("NB3D_IMPL", "relu:flat")
    with pytest.raises(ValueError, match="flat: needs one dtype of float32 and float64, got int32"):
        table.select(INTEGERS)


def test_forcing_an_unknown_name_lists_the_known(monkeypatch):
    monkeypatch.setenv("NB3D_IMPL", "relu:fast")
    with pytest.raises(ValueError, match="flat, reference"):
        table.select(RELU)


def test_forcing_an_unknown_operation(monkeypatch):
    monkeypatch.setenv("NB3D_IMPL", "rleu:reference")
    with pytest.raises(ValueError, match="unknown operation, 'rleu'"):
        table.select(RELU)


def test_malformed_forcing(monkeypatch):
    monkeypatch.setenv("NB3D_IMPL", "relu")
    with pytest.raises(ValueError, match="operation:implementation"):
        table.select(RELU)


def test_unknown_operation_and_device():
    with pytest.raises(KeyError, match="'conv4d' is no operation of nb3d"):
        table.implementations("conv4d")
    with pytest.raises(KeyError, match="'conv3d' has no kernel for device 'tpu'"):
        table.implementations("conv3d", "tpu")


@pytest.mark.parametrize("forced", ["", "*:reference"])
def test_run_computes_at_once(monkeypatch, forced):
    monkeypatch.setenv("NB3D_IMPL", forced)
    out = np.full(4, np.nan, np.float32)
    table.run(RELU, (np.array([-1, 2, -3, 4], np.float32),), out)
    np.testing.assert_array_equal(out, [0, 2, 0, 4])


def test_run_gives_a_kernel_its_scratch():
    shapes = ((1, 4, 5, 6, 3), (3, 3, 3, 3, 7), (0,), (0,))
    case = Case("conv3d", shapes, ("float32",) * 4, (1, 4, 5, 6, 7), "float32", (1,) * 10 + (0, 0.0, 0.0))
    inputs = tuple(np.ones(shape, np.float32) for shape in shapes)
    out = np.full(case.out, np.nan, np.float32)
    table.run(case, inputs, out)
    assert out[0, 2, 2, 2, 0] == 81
    assert out[0, 0, 0, 0, 6] == 24


def test_constant_says_what_may_be_packed():
    shapes = ((1, 4, 5, 6, 3), (3, 3, 3, 3, 7), (0,), (0,))
    params = (1,) * 10 + (0, 0.0, 0.0)
    fixed = Case("conv3d", shapes, ("float32",) * 4, (1, 4, 5, 6, 7), "float32", params, (False, True, True, False))
    moving = Case("conv3d", shapes, ("float32",) * 4, (1, 4, 5, 6, 7), "float32", params, (False,) * 4)
    assert table.select(fixed).implementation.name == "direct"
    assert "not constant" in dict(table.select(moving).refusals)["direct"]


def test_importing_the_table_loads_no_numba():
    code = "import sys, nb3d.kernels.table, nb3d.kernels.devices; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_references_load_no_numba():
    code = (
        "import sys, os; os.environ['NB3D_IMPL'] = '*:reference'\n"
        "from nb3d.kernels import table\n"
        "import numpy as np\n"
        "from nb3d.kernels.case import Case\n"
        "case = Case('sum', ((3,),), ('float32',), (), 'float32', ((0,),))\n"
        "table.run(case, (np.ones(3, 'f4'),), np.empty((), 'f4'))\n"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_too_little_scratch_is_an_error_not_a_crash():
    shapes = ((1, 4, 5, 6, 3), (3, 3, 3, 3, 7), (0,), (0,))
    case = Case("conv3d", shapes, ("float32",) * 4, (1, 4, 5, 6, 7), "float32", (1,) * 10 + (0, 0.0, 0.0))
    implementation = table.select(case).implementation
    inputs = implementation.prepare(case, tuple(np.ones(shape, np.float32) for shape in shapes))
    with pytest.raises(ValueError, match="bytes of scratch, got 100"):
        implementation.load(case)(*inputs, np.empty(case.out, np.float32), np.empty(100, np.uint8), *case.params)
