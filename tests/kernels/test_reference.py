"""The reference against the definitions, written as loops, and at points that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nb3d.kernels import table
from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Case
from tests import naive
from tests.kernels.cases import EXAMPLES, LINEAR
from tests.kernels.compare import compute

SMALL = 60_000  # multiply-adds that loops in Python may take


def _work(example):
    return math.prod(example.case.out) * example.length


def _examples(*ops):
    return [pytest.param(e, id=e.name) for e in EXAMPLES if e.case.op in ops and _work(e) < SMALL]


def _reference(example):
    return compute(table.implementations(example.case.op)[-1], example)


def _activated(total, case, at):
    code, alpha, beta = case.params[at : at + 3]
    out = np.empty(case.out, case.out_dtype)
    op = Activation(code).name.lower()
    kernel = table.implementations(op)[-1].load(Case(op, (case.out,), ("float64",), case.out, case.out_dtype))
    kernel(total, out, np.empty(0, np.uint8), alpha, beta)
    return out


@pytest.mark.parametrize("example", _examples("conv3d"))
def test_conv3d_is_its_definition(example):
    p = example.case.params
    total = naive.conv3d(*example.inputs(), example.case.out, p[:3], p[3:6], p[6:9], p[9])
    expected = _activated(total, example.case, 10)
    np.testing.assert_allclose(_reference(example), expected, rtol=3e-7, atol=1e-9)


@pytest.mark.parametrize("example", _examples("conv3d_transpose"))
def test_conv3d_transpose_is_its_definition(example):
    p = example.case.params
    total = naive.conv3d_transpose(*example.inputs(), example.case.out, p[:3], p[3:6], p[6:9])
    expected = _activated(total, example.case, 9)
    np.testing.assert_allclose(_reference(example), expected, rtol=3e-7, atol=1e-9)


@pytest.mark.parametrize("example", _examples("max_pool3d", "average_pool3d"))
def test_pooling_is_its_definition(example):
    p = example.case.params
    expected = getattr(naive, example.case.op)(*example.inputs(), example.case.out, p[:3], p[3:6], p[6:9])
    np.testing.assert_allclose(_reference(example), expected, rtol=3e-7, atol=1e-9)


@pytest.mark.parametrize("example", [e for e in _examples("normalization") if "special" not in e.id])
def test_normalization_is_its_definition(example):
    total = naive.normalization(*example.inputs(), *example.case.params[:5])
    np.testing.assert_allclose(_reference(example), _activated(total, example.case, 5), rtol=3e-7, atol=1e-9)


@pytest.mark.parametrize("example", _examples("upsample3d_linear"))
def test_linear_upsampling_is_its_definition(example):
    expected = naive.upsample3d_linear(*example.inputs(), example.case.out, example.case.params)
    np.testing.assert_allclose(_reference(example), expected, rtol=3e-7, atol=1e-7)


@pytest.mark.parametrize("example", _examples("adaptive_max_pool3d", "adaptive_average_pool3d"))
def test_adaptive_pooling_is_its_definition(example):
    (x,), largest = example.inputs(), "max" in example.case.op
    expected = naive.adaptive_pool3d(x, example.case.out, largest)
    np.testing.assert_allclose(_reference(example), expected, rtol=3e-7, atol=1e-9)


@pytest.mark.parametrize("example", [pytest.param(e, id=e.name) for e in EXAMPLES if math.prod(e.case.out) < 10_000])
def test_writes_all_of_out(example):
    out = _reference(example)
    assert out.shape == example.case.out
    again = np.zeros_like(example.out())
    case = example.case
    params = [np.random.default_rng(3) if isinstance(p, np.random.Generator) else p for p in case.params]
    kernel = table.implementations(case.op)[-1].load(case)
    kernel(*example.inputs(), again, np.empty(0, np.uint8), *params)
    np.testing.assert_array_equal(out, again)


def _run(op, x, *params, dtype="float64"):
    x = np.asarray(x, dtype)
    out = np.empty_like(x)
    kernel = table.implementations(op)[-1].load(Case(op, (x.shape,), (dtype,), x.shape, dtype))
    kernel(x, out, np.empty(0, np.uint8), *params)
    return out


@pytest.mark.parametrize(
    ("op", "params", "x", "expected"),
    [
        ("relu", (0.0, math.inf), [-2, 0, 3, -math.inf], [0, 0, 3, 0]),
        ("relu", (0.5, 2.0), [-2, 1, 3], [-1, 1, 2]),
        ("elu", (2.0, 0.0), [-1, 1], [2 * math.expm1(-1), 1]),
        ("selu", (0.0, 0.0), [1, -1], [1.0507009873554805, 1.0507009873554805 * 1.6732632423543772 * math.expm1(-1)]),
        ("sigmoid", (0.0, 0.0), [0, math.log(3), -800], [0.5, 0.75, 0]),
        ("softplus", (0.0, 0.0), [0, 800, -800], [math.log(2), 800, 0]),
        ("hard_sigmoid", (0.2, 0.5), [-5, 0, 1, 5], [0, 0.5, 0.7, 1]),
        ("gelu", (0.0, 0.0), [1, -1], [0.5 * (1 + math.erf(math.sqrt(0.5))), -0.5 * (1 - math.erf(math.sqrt(0.5)))]),
        ("silu", (0.0, 0.0), [0, math.log(3)], [0, 0.75 * math.log(3)]),
        ("mish", (0.0, 0.0), [1], [math.tanh(math.log(1 + math.e))]),
        ("hard_shrink", (0.5, 0.0), [-1, -0.5, 0.4, 2], [-1, 0, 0, 2]),
        ("soft_shrink", (0.5, 0.0), [-1, -0.5, 0.4, 2], [-0.5, 0, 0, 1.5]),
        ("threshold", (0.5, 7.0), [0.5, 0.6], [7, 0.6]),
        ("squareplus", (4.0, 0.0), [0, 1.5], [1, 2]),
        ("sparse_plus", (0.0, 0.0), [-2, 0, 1, 3], [0, 0.25, 1, 3]),
        ("sparse_sigmoid", (0.0, 0.0), [-2, 0, 3], [0, 0.5, 1]),
        ("sparsemax", (0,), [0.5, 3, 2.5, 1], [0, 0, 0, 0]),
        ("sparsemax", (0,), [-5], [1]),
        ("sparsemax", (0,), [0.25, -0.5, 0], [0.5, 0, 0.25]),
    ],
)
def test_activations_at_known_points(op, params, x, expected):
    np.testing.assert_allclose(_run(op, x, *params), expected, rtol=1e-14)


@pytest.mark.parametrize("code", list(Activation))
def test_activations_keep_nan(code):
    assert np.isnan(_run(code.name.lower(), [math.nan], 1.0, 1.0)).all()


def test_references_of_float32_round_once():
    ones = np.ones(1 << 16, np.float32)
    ones[0] = 1e8  # in float32 every further one would be lost
    out = np.empty((), np.float32)
    case = Case("sum", (ones.shape,), ("float32",), (), "float32", ((0,),))
    table.implementations("sum")[-1].load(case)(ones, out, np.empty(0, np.uint8), (0,))
    assert out == np.float32(1e8 + (1 << 16) - 1)


def test_linear_activation_is_number_zero():
    assert LINEAR == 0  # plans write 0 for "no activation"
