"""A model's self-test: a small input, and statistics of what every layer computed from it, kept in the file.

It is JSON: ``{"version": 1, "inputs": [...], "layers": {name: [[mean, root mean square, largest, mark], ...]}}``. An
input is kept as a block of at most 8 voxels a side, which is repeated as far as the input reaches. The mark is the sum
of the values with signs that follow a fixed sequence: it sees values change places. Rounding moves all four by little.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nb3d.engine.shapes import shapes_of
from nb3d.models.parsing import parse_json
from nb3d.saving.errors import ModelFileError

VERSION = 1
TOLERANCE = 1e-3  # of the root mean square: far above rounding, far below what a wrong weight makes
_KEY = "self-test"
_BLOCK = 8  # voxels a side
_SIZES = (16, 24, 32, 48, 64, 96, 128)  # tried for free axes of the input, smallest first
_LARGEST_INPUT = 2**31  # bytes
_STATISTICS = ("mean", "root mean square", "largest value", "mark")


def record(model: Any) -> str:
    """The self-test of a model as JSON.

    Raises:
        ModelFileError: If no small input runs through the model, or a layer computes something that is not finite.
    """
    shapes = _small_shapes(model)
    random = np.random.default_rng(0)
    blocks = []
    for shape, tensor in zip(shapes, model.inputs, strict=True):
        block = random.uniform(-1, 1, [min(size, _BLOCK) for size in shape]).astype("float32")
        blocks.append(block if tensor.dtype.startswith("float") else np.abs(block).round())
    arrays = [_repeated(block, shape) for block, shape in zip(blocks, shapes, strict=True)]
    layers, again = _statistics(model, arrays), _statistics(model, arrays)
    for name, values in layers.items():
        if not np.isfinite(values).all():
            raise ModelFileError("the layer computes no finite values, so there is nothing to test it by", layer=name)
        if values != again[name]:
            raise ModelFileError("the layer computes something else each time, so it cannot be tested", layer=name)
    texts = [base64.b64encode(block.astype("<f4").tobytes()).decode() for block in blocks]
    inputs = [
        {"shape": list(shape), "block": list(block.shape), "values": text}
        for block, shape, text in zip(blocks, shapes, texts, strict=True)
    ]
    return json.dumps({"version": VERSION, "inputs": inputs, "layers": layers}, allow_nan=False)


def replay(model: Any, recorded: bytes) -> None:
    """Runs the self-test of a model.

    Args:
        model: The model.
        recorded: What `record` made, from a file.

    Raises:
        ModelFileError: If there is none or it is damaged, or a layer computes something else; the message names the
            first such layer.
    """
    if not recorded:
        problem = "the file holds no self-test, so there is nothing to verify; save(..., self_test=True) stores one"
        raise ModelFileError(problem, key=_KEY)
    inputs, layers = _parsed(recorded, model)
    computed = _statistics(model, inputs)
    if list(computed) != list(layers):
        other = sorted(set(computed) ^ set(layers))
        raise ModelFileError("the self-test is one of other layers", key=_KEY, expected=list(computed), got=other)
    for name, mine in computed.items():
        for got, want in zip(mine, layers[name], strict=True):
            scale = max(abs(want[1]), 1e-30)
            distances = [abs(a - b) / scale for a, b in zip(got, want, strict=True)]
            worst = int(np.argmax(distances))
            if not distances[worst] <= TOLERANCE:
                raise ModelFileError(
                    f"the self-test fails: this is the first layer that computes something else ({_STATISTICS[worst]})",
                    layer=name,
                    key=_KEY,
                    expected=want[worst],
                    got=got[worst],
                )


def _small_shapes(model: Any) -> list[tuple[int, ...]]:
    """Shapes of inputs, one sample each: the model's own, with its free axes as small as the layers allow."""
    problem: Exception | None = None
    for size in _SIZES:
        shapes = [(tensor.shape[0] or 1, *(free or size for free in tensor.shape[1:])) for tensor in model.inputs]
        try:
            model.plan(*shapes)
        except ValueError as error:
            problem = error
        else:
            return shapes
    raise ModelFileError(f"no small input runs through the model, so there is no self-test: {problem}") from problem


def _repeated(block: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A block, repeated along every axis up to `shape`."""
    for axis, size in enumerate(shape):
        block = block.take(np.arange(size) % block.shape[axis], axis=axis)
    return block


def _statistics(model: Any, inputs: list[np.ndarray]) -> dict[str, list[list[float]]]:
    outputs = model.layer_outputs(inputs)
    return {name: [_of(array) for array in (v if isinstance(v, list) else [v])] for name, v in outputs.items()}


def _of(array: np.ndarray) -> list[float]:
    """Mean, root mean square, largest value, mark; the last scaled so that it is of the size of the second."""
    values = array.reshape(-1).astype("float64")
    if not values.size:
        return [0.0] * len(_STATISTICS)
    # Signs from a multiplicative sequence: as good as random, the same everywhere.
    signs = 1.0 - 2.0 * ((np.arange(values.size, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(63))
    root = math.sqrt(values.size)
    with np.errstate(over="ignore", invalid="ignore"):
        norm, mark = math.sqrt(float(values @ values)), float(values @ signs)
    return [float(values.mean()), norm / root, float(np.abs(values).max()), mark / root]


def _parsed(recorded: bytes, model: Any) -> tuple[list[np.ndarray], dict[str, list[list[float]]]]:
    """Inputs and statistics, every size checked against the model before memory is taken."""
    try:
        content = parse_json(recorded)
        if content["version"] != VERSION:
            raise ModelFileError("the self-test is of another kind", key=_KEY, expected=VERSION, got=content["version"])
        inputs = [_input(entry, tensor) for entry, tensor in zip(content["inputs"], model.inputs, strict=True)]
        layers = content["layers"]
        for values in layers.values():
            if any(len(item) != len(_STATISTICS) or not all(map(_is_number, item)) for item in values):
                raise ValueError("statistics are missing")
        return inputs, layers
    except ModelFileError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelFileError(f"the self-test is damaged: {error}", key=_KEY) from error


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _input(entry: dict[str, Any], tensor: Any) -> np.ndarray:
    shape, block = tuple(entry["shape"]), tuple(entry["block"])
    wanted = shapes_of(tensor)
    sound = len(shape) == len(block) == len(wanted) and all(
        type(size) is int and type(part) is int and 0 < part <= size and want in (None, size)
        for size, part, want in zip(shape, block, wanted, strict=True)
    )
    if not sound or 4 * math.prod(shape) > _LARGEST_INPUT:
        raise ValueError(f"an input has the shape {entry['shape']!r:.80}, the model's is {wanted}")
    values = np.frombuffer(base64.b64decode(entry["values"], validate=True), "<f4")
    return _repeated(values.reshape(block), shape)
