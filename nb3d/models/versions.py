"""Configurations of Keras 1 and 2 in the words of Keras 3, where the same words meant something else.

What differs by spelling alone (``alpha`` for ``negative_slope``, ``batch_input_shape``) every layer reads by itself;
here stands what only the version in the file can decide:

* ``hard_sigmoid`` was ``clip(0.2 x + 0.5, 0, 1)`` and is ``clip(x / 6 + 0.5, 0, 1)`` since Keras 3: it becomes the new
  one of ``1.2 x``, in a form that Keras 3 reads too;
* the ``dilation_rate`` of a transposed 3D convolution was kept and ignored: it is dropped;
* ``ThresholdedReLU``, which Keras 3 has no more, is a `ReLU` whose `threshold` was called `theta`;
* tensors among the keyword arguments of a call were bare references, as its first arguments are;
* functions of TensorFlow that were called on tensors were layers: see `nb3d.models.tensorflow_functions`;
* Keras 1 had other names for most arguments: see `nb3d.models.keras1`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nb3d.models import keras1, tensorflow_functions
from nb3d.models.arguments import tagged

NEWEST = 3
_IGNORED_DILATION = frozenset({"Conv3DTranspose", "Convolution3DTranspose", "Deconvolution3D"})
_HARD_SIGMOID = "hard_sigmoid"


def in_new_words(config: Mapping[str, Any], keras_version: Any = None) -> dict[str, Any]:
    """The configuration of a model as Keras 3 would mean it.

    What is not of the form of a configuration stays as it is: others check that.

    Args:
        config: ``{'class_name', 'config'}``; it is not changed.
        keras_version: Version of Keras that wrote it; where absent the configuration may say so itself, and is taken
            for one of Keras 3 if it does not.
    """
    major = _major(config.get("keras_version") if keras_version is None else keras_version)
    return dict(config) if major >= NEWEST else _entry(config, major)


def _major(version: Any) -> int:
    number = re.match(r"\d{1,4}", version) if isinstance(version, str) else None
    return int(number.group()) if number else NEWEST


def _entry(entry: Any, major: int) -> Any:
    """One layer or model, and all layers in it."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("class_name"), str):
        return entry
    if entry["class_name"] in tensorflow_functions.CLASSES:
        return tensorflow_functions.translated(entry)
    new = keras1.translated(entry) if major < 2 else dict(entry)
    if isinstance(new.get("inbound_nodes"), list):
        new["inbound_nodes"] = [_call(node) for node in new["inbound_nodes"]]
    config = new.get("config")
    if isinstance(config, list):
        new["config"] = [_entry(layer, major) for layer in config]
    if not isinstance(config, Mapping):
        return new
    values = dict(config)
    if isinstance(values.get("layers"), list):
        values["layers"] = [_entry(layer, major) for layer in values["layers"]]
    if isinstance(values.get("layer"), Mapping):
        values["layer"] = _entry(values["layer"], major)
    if values.get("activation") == _HARD_SIGMOID:
        values["activation"] = _steeper(values.get("dtype", "float32"))
    if new["class_name"] in _IGNORED_DILATION:
        values.pop("dilation_rate", None)
    if new["class_name"] == "ThresholdedReLU":
        new["class_name"] = "ReLU"
        values["threshold"] = values.pop("theta", 1.0)
    new["config"] = values
    return new


def _call(node: Any) -> Any:
    """A call: for every first argument ``[layer, node, tensor, keyword arguments]``."""
    if not isinstance(node, list) or not all(isinstance(part, list) for part in node):
        return node
    return [[*part[:3], *(tagged(keywords) for keywords in part[3:])] for part in node]


def _steeper(dtype: Any) -> dict[str, Any]:
    """The ``hard_sigmoid`` of Keras 2."""
    scaled = {"name": "scaled", "dtype": dtype, "scale": 1.2, "offset": 0.0}
    bounded = {"name": "bounded", "dtype": dtype, "activation": _HARD_SIGMOID}
    layers = [{"class_name": "Rescaling", "config": scaled}, {"class_name": "Activation", "config": bounded}]
    return {"class_name": "Sequential", "config": {"name": "hard_sigmoid_of_keras_2", "layers": layers}}
