"""Records what layers of real Keras compute, for ``tests/layers/test_golden.py``.

Run it in an environment with Keras 3 on TensorFlow, from the root of the repository:

    KERAS_BACKEND=tensorflow python dev/record_layer_goldens.py [family ...]

It writes ``tests/layers/golden/FAMILY.npz``: for each case of ``layer_cases.py`` the configuration as Keras writes it,
names of the inputs, weights before and after the call, and the outputs. What TensorFlow does not compute in channels
first on a CPU is recorded on transposed tensors.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from layer_cases import FAMILIES, Case, Wrapped

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "layers" / "golden"


def values(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Random values, coarse so that they compress, some channels of some voxels zero."""
    generator = np.random.default_rng([seed, *shape])
    array = np.round(generator.standard_normal(shape) * 64) / 32
    array[generator.random(shape[:-1]) < 0.2] = 0.0
    return array.astype("float32")


def weight_values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Random weights, coarse so that they compress; variances are positive."""
    array = np.round(np.random.default_rng([len(name), *shape]).standard_normal(shape) * 64) / 64
    return np.abs(array) if name in ("variance", "moving_variance", "count") else array


def flipped(x: np.ndarray, back: bool = False) -> np.ndarray:
    """A tensor in the other data format."""
    if x.ndim < 3:
        return x
    return np.ascontiguousarray(np.moveaxis(x, 1, -1) if back else np.moveaxis(x, -1, 1))


def inputs_of(case: Case, arrays: dict[str, np.ndarray]) -> list[str]:
    """The names of a case's inputs, which are made where they are not there yet."""
    names = []
    for position, shape in enumerate(case.shapes):
        name = f"input_{'x'.join(map(str, shape))}_{position}" + f"_below_{case.integers}" * bool(case.integers)
        if name not in arrays:
            indices = np.random.default_rng(position).integers(0, case.integers or 1, shape).astype("int32")
            arrays[name] = indices if case.integers else values(shape, position)
        names.append(name)
    return names


def make(class_name: str, kwargs: dict[str, Any], name: str) -> Any:
    """A layer of Keras."""
    import keras

    inner = {key: make(item.class_name, item.kwargs, "inner") if isinstance(item, Wrapped) else item
             for key, item in kwargs.items()}  # fmt: skip
    return getattr(keras.layers, class_name)(**inner, name=name)


def weights_of(layer: Any) -> list[np.ndarray]:
    """Trainable weights first, as nb3d has them."""
    return [np.array(weight) for weight in sorted(layer.weights, key=lambda weight: not weight.trainable)]


def run(case: Case, layer: Any, fed: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Outputs of a layer, and its weights before and after."""
    import keras

    def called(tensors: list[Any], **kwargs: Any) -> Any:
        tensors = [keras.layers.Masking()(x) for x in tensors] if case.masked else tensors
        return layer(*tensors, **kwargs) if case.apart or len(tensors) == 1 else layer(tensors, **kwargs)

    called([keras.Input(batch_shape=x.shape, dtype=x.dtype) for x in fed])
    for weight in layer.weights:
        weight.assign(weight_values(weight.name, weight.shape))
    if hasattr(layer, "finalize_state"):  # of a Normalization that got its statistics as weights
        layer.finalize_state()
    before = weights_of(layer)
    outputs = called(fed, **case.call)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    return [np.asarray(output) for output in outputs], before, weights_of(layer)


def record(case: Case, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Runs one case in Keras; adds its arrays, and returns what else is to be kept."""
    import keras

    keras.utils.clear_session()
    names = inputs_of(case, arrays)
    fed = [arrays[name] for name in names]
    first = case.kwargs.get("data_format") == "channels_first"
    layer = make(case.class_name, case.kwargs, "layer")
    config = keras.layers.serialize(layer)
    try:
        outputs, before, after = run(case, layer, [flipped(x) for x in fed] if first else fed)
    except Exception as error:
        if not first:
            raise
        print(f"{case.name}: on transposed tensors, for {type(error).__name__}")
        layer = make(case.class_name, {**case.kwargs, "data_format": "channels_last"}, "layer")
        outputs, before, after = run(case, layer, fed)
        outputs = [flipped(output) for output in outputs]
    for index, output in enumerate(outputs):
        arrays[f"{case.name}/output_{index}"] = output
    for index, weight in enumerate(before):
        arrays[f"{case.name}/weight_{index}"] = weight
    for index, weight in enumerate(after if case.call.get("training") else []):
        arrays[f"{case.name}/after_{index}"] = weight
    return {
        "name": case.name,
        "config": config,
        "inputs": names,
        "outputs": len(outputs),
        "channels_first": first,
        "call": case.call,
        "masked": case.masked,
        "apart": case.apart,
        "weights": len(before),
    }


def main() -> None:
    """Writes the files of the families that are named, or of all."""
    import keras

    FOLDER.mkdir(parents=True, exist_ok=True)
    for family in sys.argv[1:] or FAMILIES:
        arrays: dict[str, np.ndarray] = {}
        notes = [record(case, arrays) for case in FAMILIES[family]()]
        index = json.dumps({"keras": keras.__version__, "backend": keras.backend.backend(), "cases": notes})
        target = FOLDER / f"{family}.npz"
        np.savez_compressed(target, index=np.frombuffer(index.encode(), np.uint8), **arrays)
        print(f"{family}: {len(notes)} cases, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
