"""`check_layer`: what must hold of every layer, whatever it computes."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nb3d

Shape = tuple[int | None, ...]
TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}


def check_layer(
    make: Callable[..., Any],
    *shapes: Shape,
    weights: dict[str, Shape] | None = None,
    free: Sequence[int] = (),
    formats: bool = False,
) -> None:
    """Asserts that a layer keeps the promises that all layers make.

    Its shape is inferred with known and unknown sizes; its configuration survives JSON; its weights are in order;
    arrays, the plan and a Model give the same values; float64 is float64; channels first is channels last transposed.

    Args:
        make: Makes the layer; takes keyword arguments of it.
        *shapes: Shapes of its inputs, batch first; those of volumes are channels last.
        weights: Name -> shape of its weights, in order.
        free: Axes of the inputs whose size may be unknown besides that of the batch.
        formats: Whether the layer has a data format.
    """
    arrays = [volume(shape, position) for position, shape in enumerate(shapes)]
    layer = make(name="layer")
    expected = check_values(layer, arrays)
    check_shapes(layer, [x.shape for x in arrays], expected.shape)
    check_unknown_sizes(make, [x.shape for x in arrays], free, expected.shape)
    check_weights(layer, weights or {})
    check_config(layer, arrays, expected)
    check_float64(make, layer, arrays, expected)
    if formats:
        check_formats(make, layer, arrays, expected)


def volume(shape: Shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, 1]).standard_normal(shape).astype("float32")


def one_or_list(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def set_random_weights(layer: Any) -> None:
    """Weights that no initializer would make, variances positive."""
    generator = np.random.default_rng(3)
    layer.set_weights([np.abs(generator.standard_normal(weight.shape)) + 0.1 for weight in layer.weights])


def check_values(layer: Any, arrays: list[np.ndarray]) -> np.ndarray:
    """The layer's result on arrays, which is the same on symbols, by plan, and in a Model."""
    symbols = [nb3d.Input(batch_shape=x.shape) for x in arrays]
    symbolic = layer(one_or_list(symbols))
    set_random_weights(layer)
    eager = layer(one_or_list(arrays))
    assert isinstance(eager, np.ndarray)
    (planned,) = nb3d.function(symbols, [symbolic])(arrays)
    predicted = nb3d.Model(symbols, symbolic).predict(one_or_list(arrays), batch_size=len(arrays[0]), verbose=0)
    for value in (planned, predicted):
        assert value.dtype == eager.dtype == np.dtype(symbolic.dtype)
        assert value.shape == eager.shape == symbolic.shape
        np.testing.assert_allclose(value, eager, **TOLERANCE)
    return eager


def check_shapes(layer: Any, shapes: list[Shape], expected: Shape) -> None:
    assert layer.output_shape == expected
    assert layer.compute_output_shape(one_or_list(shapes)) == expected
    assert layer.input_shape == one_or_list(shapes)
    unbuilt = type(layer).from_config(layer.get_config())
    assert unbuilt.compute_output_shape(one_or_list(shapes)) == expected
    assert not unbuilt.built or not layer.weights


def check_unknown_sizes(make: Callable[..., Any], shapes: list[Shape], free: Sequence[int], expected: Shape) -> None:
    """With sizes unknown the inferred shape says no more than is true, and the batch is always free."""
    partly = [tuple(None if i == 0 or i in free else size for i, size in enumerate(shape)) for shape in shapes]
    inferred = make()(one_or_list([nb3d.Input(batch_shape=shape) for shape in partly])).shape
    assert len(inferred) == len(expected)
    assert inferred[0] is None
    assert all(guess in (None, size) for guess, size in zip(inferred, expected, strict=True)), (inferred, expected)


def check_weights(layer: Any, expected: dict[str, Shape]) -> None:
    assert [weight.name.split("/")[-1] for weight in layer.weights] == list(expected)
    assert [weight.shape for weight in layer.weights] == list(expected.values())
    assert layer.count_params() == sum(int(np.prod(shape)) for shape in expected.values())


def check_config(layer: Any, arrays: list[np.ndarray], expected: np.ndarray) -> None:
    """The configuration survives JSON by either way back, and with the weights makes the same layer."""
    config = json.loads(json.dumps(nb3d.layers.serialize(layer)))
    for copy in (type(layer).from_config(config["config"]), nb3d.layers.deserialize(config)):
        assert type(copy) is type(layer)
        assert copy.name == layer.name
        assert not copy.inbound_nodes
        assert json.loads(json.dumps(nb3d.layers.serialize(copy))) == config
        copy(one_or_list(arrays))
        copy.set_weights(layer.get_weights())
        np.testing.assert_array_equal(copy(one_or_list(arrays)), expected)


def check_float64(make: Callable[..., Any], layer: Any, arrays: list[np.ndarray], expected: np.ndarray) -> None:
    double = make(dtype="float64")
    arrays = [x.astype("float64") for x in arrays]
    symbols = [nb3d.Input(batch_shape=x.shape, dtype="float64") for x in arrays]
    symbolic = double(one_or_list(symbols))
    assert symbolic.dtype == "float64"
    assert {weight.dtype for weight in double.weights if weight.dtype != "int64"} <= {"float64"}  # counts are integers
    double.set_weights(layer.get_weights())
    for value in (double(one_or_list(arrays)), nb3d.function(symbols, [symbolic])(arrays)[0]):
        assert value.dtype == np.float64
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


def check_formats(make: Callable[..., Any], layer: Any, arrays: list[np.ndarray], expected: np.ndarray) -> None:
    """Channels first is channels last transposed."""
    first = make(data_format="channels_first")
    assert first.get_config()["data_format"] == "channels_first"
    arrays = [np.ascontiguousarray(np.moveaxis(x, -1, 1)) for x in arrays]
    expected = np.moveaxis(expected, -1, 1) if expected.ndim == arrays[0].ndim else expected
    symbols = [nb3d.Input(batch_shape=x.shape) for x in arrays]
    symbolic = first(one_or_list(symbols))
    assert symbolic.shape == expected.shape
    first.set_weights(layer.get_weights())
    for value in (first(one_or_list(arrays)), nb3d.function(symbols, [symbolic])(arrays)[0]):
        np.testing.assert_allclose(value, expected, **TOLERANCE)
