"""Every operation has two modes: on arrays it computes, on symbolic tensors it says what it would compute."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops
from tests.ops.cases import CASES, Case
from tests.ops.numpy_cases import NUMPY_CASES

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}

every_case = pytest.mark.parametrize("case", CASES + NUMPY_CASES, ids=lambda case: case.name)
both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def symbols(case: Case, dtype: str = "float32", hide: Callable[[int], bool] = lambda axis: False) -> list[Any]:
    """Inputs of the case's shapes, with None for the axes that `hide` names."""
    return [
        nb3d.Input(batch_shape=[None if hide(axis) else size for axis, size in enumerate(shape)], dtype=dtype)
        for shape in case.shapes
    ]


def wanted(case: Case, operands: list[np.ndarray]) -> np.ndarray:
    return np.asarray(case.expected(*operands))


def agrees(symbolic: tuple[int | None, ...], actual: tuple[int, ...]) -> bool:
    """Whether a shape with unknown sizes fits an actual one."""
    return len(symbolic) == len(actual) and all(a in (None, b) for a, b in zip(symbolic, actual, strict=True))


@every_case
@both_dtypes
def test_on_arrays_it_computes(case: Case, dtype: str) -> None:
    operands = case.operands(dtype)
    result, expected = case.apply(*operands), wanted(case, operands)
    assert isinstance(result, np.ndarray | np.generic)
    assert result.dtype == np.dtype(case.dtype or dtype)
    assert np.shape(result) == expected.shape
    np.testing.assert_allclose(result, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@every_case
@both_dtypes
def test_on_symbols_it_infers_shape_and_dtype(case: Case, dtype: str) -> None:
    inputs = symbols(case, dtype)
    result = case.apply(*inputs)
    assert isinstance(result, nb3d.KerasTensor)
    assert result.shape == wanted(case, case.operands(dtype)).shape
    assert result.dtype == (case.dtype or dtype)
    assert not any(result is x for x in inputs)


@every_case
@both_dtypes
def test_planned_results_equal_the_eager_ones(case: Case, dtype: str) -> None:
    inputs, operands = symbols(case, dtype), case.operands(dtype)
    result = nb3d.function(inputs, [case.apply(*inputs)])(operands)[0]
    assert result.dtype == np.dtype(case.dtype or dtype)
    expected = wanted(case, operands)
    assert np.shape(result) == expected.shape
    np.testing.assert_allclose(result, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@every_case
def test_an_unknown_batch_is_run_with_every_size(case: Case) -> None:
    inputs = symbols(case, hide=lambda axis: axis == 0)
    result = case.apply(*inputs)
    run = nb3d.function(inputs, [result])
    for batch in (3, 1, 6):
        operands = case.operands("float32", batch)
        expected = wanted(case, operands)
        assert agrees(result.shape, expected.shape)
        np.testing.assert_allclose(run(operands)[0], expected, rtol=2e-5, atol=2e-5)


@every_case
def test_unknown_sizes_of_all_axes_promise_nothing_wrong(case: Case) -> None:
    inputs = symbols(case, hide=lambda axis: axis not in case.known)
    result = case.apply(*inputs)
    expected = wanted(case, case.operands("float32"))
    assert agrees(result.shape, expected.shape)
    (value,) = nb3d.function(inputs, [result])(case.operands("float32"))
    np.testing.assert_allclose(value, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("apply", "shapes"),
    [
        (lambda x, y: x + y, [(2, 3), (2, 4)]),
        (lambda x, y: ops.maximum(x, y), [(2, 3, 4), (2, 2, 4)]),
        (lambda x, y: ops.concatenate([x, y], axis=-1), [(2, 3, 4), (2, 5, 4)]),
        (lambda x, y: ops.concatenate([x, y], axis=-1), [(2, 3), (2, 3, 4)]),
        (lambda x, y: ops.matmul(x, y), [(2, 3), (4, 2)]),
        (lambda x: ops.reshape(x, (2, 7)), [(2, 3)]),
        (lambda x: ops.reshape(x, (-1, -1)), [(2, 3)]),
        (lambda x: ops.sum(x, axis=2), [(2, 3)]),
        (lambda x: ops.transpose(x, (0, 0)), [(2, 3)]),
        (lambda x: ops.transpose(x, (0, 1, 2)), [(2, 3)]),
        (lambda x: ops.squeeze(x, 1), [(2, 3)]),
        (lambda x: ops.stack([x, x[:, :1]], axis=0), [(2, 3)]),
        (lambda x: ops.split(x, 2, axis=1), [(2, 3)]),
        (lambda x: ops.pad(x, ((1, 1),) * 3), [(2, 3)]),
        (lambda x: ops.pad(x, 1, "wrap"), [(2, 3)]),
        (lambda x: ops.norm(x, 2), [(2, 3)]),
        (lambda x, y: ops.einsum("ab,bc->ac", x, y), [(2, 3), (4, 2)]),
        (lambda x, y: ops.einsum("ab,ca->ac,", x, y), [(2, 3), (4, 2)]),
        (lambda x: ops.einsum("abc->a", x), [(2, 3)]),
        (lambda x: ops.einsum("ab->aa", x), [(2, 3)]),
        (lambda x: ops.einsum("a1->a", x), [(2, 3)]),
        (lambda x: ops.conv(x, np.ones((1, 3, 2))), [(2, 3)]),
        (lambda x, y: ops.dot_product_attention(x, y, y), [(2, 3, 4, 5), (2, 3, 3, 5)]),
    ],
)
@pytest.mark.parametrize("symbolic", [True, False], ids=["symbols", "arrays"])
def test_operands_that_do_not_fit_are_refused_in_both_modes(
    apply: Callable[..., Any], shapes: list[tuple[int, ...]], symbolic: bool
) -> None:
    operands = [nb3d.Input(batch_shape=shape) if symbolic else np.ones(shape, "float32") for shape in shapes]
    with pytest.raises(ValueError, match=r"\d"):
        apply(*operands)


@pytest.mark.parametrize(
    "apply",
    [
        lambda x: ops.split(x, 2, axis=1),
        lambda x: ops.unstack(x, axis=1),
        lambda x: ops.roll(x, 1, axis=1),
    ],
)
def test_a_size_that_must_be_known_is_asked_for(apply: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="axis 1"):
        apply(nb3d.Input((None, 3)))


def test_an_index_out_of_range_is_named_when_it_is_met() -> None:
    x, i = nb3d.Input((4,)), nb3d.Input((1,), dtype="int32")
    run = nb3d.function([x, i], [ops.take(x, i, axis=1)])
    with pytest.raises(ValueError, match="index 4 is out of range for an axis of size 4"):
        run([np.ones((1, 4), "float32"), np.array([[4]])])


@pytest.mark.parametrize("index", [(0, 0, 0), (slice(None), 7), "name"], ids=["too many", "out of range", "text"])
@pytest.mark.parametrize("symbolic", [True, False], ids=["symbols", "arrays"])
def test_an_impossible_index_is_refused_in_both_modes(index: Any, symbolic: bool) -> None:
    operand = nb3d.Input(batch_shape=(2, 3)) if symbolic else np.ones((2, 3), "float32")
    with pytest.raises((IndexError, TypeError, ValueError)):
        ops.get_item(operand, index)


def test_numbers_do_not_change_the_dtype() -> None:
    x = nb3d.Input((3,))
    array = np.ones((2, 3), "float32")
    for apply in (lambda t: t + 1, lambda t: t * 2.5, lambda t: ops.add(t, 1.5), lambda t: 1 / t):
        assert apply(x).dtype == "float32"
        assert apply(array).dtype == np.float32
        assert nb3d.function([x], [apply(x)])([array])[0].dtype == np.float32


def test_the_wider_dtype_wins() -> None:
    x, y = nb3d.Input((3,)), nb3d.Input((3,), dtype="float64")
    assert (x + y).dtype == (y * x).dtype == "float64"
    result = nb3d.function([x, y], [x + y])([np.ones((2, 3), "float32"), np.ones((2, 3))])[0]
    assert result.dtype == np.float64
    assert ops.add(np.ones(3, "float32"), np.ones(3)).dtype == np.float64


def test_symbols_and_arrays_mix() -> None:
    x = nb3d.Input((3,))
    array = np.arange(3, dtype="float32")
    y = ops.concatenate([x + array, array * x, ops.multiply(array, x)], axis=-1)
    assert y.shape == (None, 9)
    values = np.full((2, 3), 2.0, "float32")
    expected = np.concatenate([values + array, values * array, values * array], axis=-1)
    np.testing.assert_array_equal(nb3d.function([x], [y])([values])[0], expected)
