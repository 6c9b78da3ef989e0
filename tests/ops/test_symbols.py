"""What a `KerasTensor` is beside its operators: an identity, a place in the graph, and no array."""

from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import ops


def test_equality_is_identity() -> None:
    x, y = nb3d.Input((3,)), nb3d.Input((3,))
    assert (x == x) is True
    assert (x == y) is False
    assert (x != y) is True
    assert (x != x) is False
    assert (x == 3) is False
    assert x != np.ones(3)


def test_symbols_are_hashable() -> None:
    x, y = nb3d.Input((3,)), nb3d.Input((3,))
    assert {x: "x", y: "y"}[y] == "y"
    assert len({x, y, x}) == 2
    assert x in [y, x]
    assert [y, x].index(x) == 1


def test_a_symbol_has_shape_dtype_name_and_history() -> None:
    x = nb3d.Input((3, None), name="x")
    y = x + 1
    for tensor in (x, y):
        assert tensor.shape == (None, 3, None)
        assert tensor.dtype == "float32"
        assert isinstance(tensor.name, str)
        assert len(tensor._keras_history) == 3
    assert x.name != y.name


@pytest.mark.parametrize(
    "use",
    [np.asarray, np.array, float, int, lambda x: np.sin(x), lambda x: np.add(x, 1)],
    ids=["asarray", "array", "float", "int", "a NumPy function", "a NumPy function of two"],
)
def test_a_symbol_is_no_array(use: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        use(nb3d.Input((3,)))


def test_a_symbol_is_not_iterable() -> None:
    with pytest.raises((TypeError, NotImplementedError)):
        list(nb3d.Input((3,)))


def test_an_operation_is_a_node() -> None:
    x, y = nb3d.Input((3,)), nb3d.Input((3,))
    z = x * y
    operation, node_index, tensor_index = z._keras_history
    assert (node_index, tensor_index) == (0, 0)
    node = operation.inbound_nodes[0]
    assert [tensor is given for tensor, given in zip(node.input_tensors, [x, y], strict=True)] == [True, True]
    assert node.output_tensors[0] is z


# ---- nb3d.function


def test_a_function_takes_and_gives_lists() -> None:
    x, y = nb3d.Input((3,)), nb3d.Input((3,))
    run = nb3d.function([x, y], [x + y, x - y, x])
    a, b = np.full((2, 3), 5.0, "float32"), np.full((2, 3), 2.0, "float32")
    results = run([a, b])
    assert isinstance(results, list)
    for result, expected in zip(results, [a + b, a - b, a], strict=True):
        assert isinstance(result, np.ndarray)
        np.testing.assert_array_equal(result, expected)


def test_results_of_two_runs_are_not_the_same_memory() -> None:
    x = nb3d.Input((3,))
    run = nb3d.function([x], [x + 1, x])
    fed = np.zeros((1, 3), "float32")
    first = run([fed])
    run([np.full((1, 3), 9.0, "float32")])
    np.testing.assert_array_equal(first[0], np.ones((1, 3)))
    np.testing.assert_array_equal(first[1], np.zeros((1, 3)))
    first[1][...] = 5.0
    assert not fed.any()


def test_any_tensor_between_may_be_asked_for() -> None:
    x = nb3d.Input((3,))
    hidden = ops.exp(x)
    y = hidden * 2
    array = np.ones((2, 3), "float32")
    np.testing.assert_allclose(nb3d.function([x], [y, hidden])([array])[1], np.exp(array), rtol=1e-6, atol=1e-6)


def test_an_input_that_was_not_given_is_named() -> None:
    x, y = nb3d.Input((3,), name="here"), nb3d.Input((3,), name="missing")
    with pytest.raises(ValueError, match="missing"):
        nb3d.function([x], [x + y])([np.ones((1, 3), "float32")])


@pytest.mark.parametrize(
    "arrays",
    [
        [],
        [np.ones((1, 3), "float32")] * 2,
        [np.ones((1, 4), "float32")],
        [np.ones((1, 3, 1), "float32")],
        [np.array([["a", "b", "c"]])],
    ],
    ids=["too few", "too many", "another size", "another rank", "text"],
)
def test_arrays_that_do_not_fit_the_inputs_are_refused(arrays: list[np.ndarray]) -> None:
    x = nb3d.Input((3,), name="x")
    run = nb3d.function([x], [x + 1])
    with pytest.raises((TypeError, ValueError), match=r"x|input|array"):
        run(arrays)


def test_a_symbol_is_no_value_to_run_on() -> None:
    x = nb3d.Input((3,), name="x")
    with pytest.raises((TypeError, ValueError), match=r"KerasTensor|symbolic"):
        nb3d.function([x], [x + 1])([x])


@pytest.mark.parametrize("bad", [np.ones(3, "float32"), 3, "x"], ids=["array", "number", "string"])
def test_an_output_must_be_symbolic(bad: Any) -> None:
    x = nb3d.Input((3,))
    with pytest.raises((TypeError, ValueError)):
        nb3d.function([x], [bad])
