"""What real Keras computed for the cases of ``dev/layer_cases.py``, as ``dev/record_layer_goldens.py`` recorded it."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import nb3d

FOLDER = Path(__file__).parent / "golden"


class GoldenCase:
    """One layer, its inputs, weights and outputs; what it needs is read when it is asked for."""

    def __init__(self, path: Path, notes: dict[str, Any]) -> None:
        self._path = path
        self.name: str = notes["name"]
        self.config: dict[str, Any] = notes["config"]
        self.channels_first: bool = notes["channels_first"]
        self.call: dict[str, Any] = notes["call"]
        self.masked: bool = notes["masked"]
        self._notes = notes

    @cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        wanted = [name for name in _names(self._path) if name.startswith(f"{self.name}/")]
        with np.load(self._path) as archive:
            return {name: archive[name] for name in [*wanted, *self._notes["inputs"]]}

    @property
    def class_name(self) -> str:
        return str(self.config["class_name"])

    @property
    def trains(self) -> bool:
        return bool(self.call.get("training"))

    def inputs(self) -> list[np.ndarray]:
        arrays = [self._arrays[name] for name in self._notes["inputs"]]
        return [np.moveaxis(x, -1, 1) if x.ndim > 2 and self.channels_first else x for x in arrays]

    def outputs(self) -> list[np.ndarray]:
        return [self._arrays[f"{self.name}/output_{index}"] for index in range(self._notes["outputs"])]

    def weights(self, when: str = "weight") -> list[np.ndarray]:
        return [self._arrays[f"{self.name}/{when}_{index}"] for index in range(self._notes["weights"])]

    def apply(self, layer: Any, tensors: list[Any]) -> list[Any]:
        """The layer's outputs for tensors or arrays, in the way in which Keras was called."""
        apart = self._notes["apart"] or len(tensors) == 1
        outputs = layer(*tensors, **self.call) if apart else layer(tensors, **self.call)
        return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

    def symbolic(self) -> tuple[Any, list[Any], list[Any]]:
        """A new layer with the recorded weights, symbolic inputs, and its outputs for them."""
        layer = nb3d.layers.deserialize(self.config)
        symbols = [nb3d.Input(batch_shape=x.shape, dtype=x.dtype.name) for x in self.inputs()]
        outputs = self.apply(layer, [nb3d.layers.Masking()(x) for x in symbols] if self.masked else symbols)
        layer.set_weights(self.weights())
        return layer, symbols, outputs


def _names(path: Path) -> list[str]:
    with np.load(path) as archive:
        return list(archive.files)


def _read(path: Path) -> list[GoldenCase]:
    with np.load(path) as archive:
        return [GoldenCase(path, notes) for notes in json.loads(archive["index"].tobytes())["cases"]]


CASES: dict[str, GoldenCase] = {case.name: case for path in sorted(FOLDER.glob("*.npz")) for case in _read(path)}
