"""Layers in the words of Keras 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CLASSES = {
    "AtrousConvolution1D": "Conv1D", "AtrousConvolution2D": "Conv2D", "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D", "Convolution3D": "Conv3D",
}  # fmt: skip
_ARGUMENTS = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "filter_length": "kernel_size",
    "gamma_init": "gamma_initializer",
    "init": "kernel_initializer",
    "length": "size",
    "nb_filter": "filters",
    "output_dim": "units",
    "p": "rate",
    "pool_length": "pool_size",
    "sigma": "stddev",
    "stride": "strides",
    "subsample": "strides",
    "subsample_length": "strides",
}
_WINDOWS = (("kernel_dim1", "kernel_dim2", "kernel_dim3"), ("nb_row", "nb_col"))  # one argument per axis
_DATA_FORMATS = {"tf": "channels_last", "th": "channels_first", "default": None}
_MERGES = {"sum": "Add", "mul": "Multiply", "concat": "Concatenate", "ave": "Average", "max": "Maximum"}
_TRANSPOSED = frozenset({"Deconvolution2D", "Deconvolution3D"})
_OF_NO_EFFECT = frozenset({"input_dim", "input_length", "weights"})


def translated(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of a configuration with class and arguments as Keras 2 calls them; layers inside are not touched.

    Raises:
        ValueError: If the layer computes what no layer of Keras 2 does; the message names it.
    """
    new, name, config = dict(entry), entry["class_name"], entry.get("config")
    if not isinstance(config, Mapping) or ("layers" in config and name != "Merge"):
        return new
    where = f"Layer {config.get('name')!r} ({name})"
    values = {key: value for key, value in config.items() if key not in _OF_NO_EFFECT}
    if name in _TRANSPOSED:
        raise ValueError(
            f"{where}: Keras 1 and the packages beside it disagree in the axes of its kernel and in what output_shape "
            f"does. Build the network with Conv{name[-2:]}Transpose instead, and give that its weights by set_weights."
        )
    if name == "Merge":
        return {**new, **_merge(values, where)}
    if name == "PReLU" and "init" in values:
        values["alpha_initializer"] = values.pop("init")
    if name == "BatchNormalization" and values.pop("mode", 0) != 0:
        raise ValueError(f"{where}: expected mode=0, got {config['mode']!r}: others normalize by each input itself.")
    dtype = values.pop("input_dtype", None)
    if name == "InputLayer" and dtype is not None:
        values["dtype"] = dtype
    for axes in _WINDOWS:
        if all(axis in values for axis in axes):
            values["kernel_size"] = [values.pop(axis) for axis in axes]
    renamed = {_ARGUMENTS.get(key, key): _value(key, value) for key, value in values.items()}
    return {**new, "class_name": _CLASSES.get(name, name), "config": renamed}


def _value(key: str, value: Any) -> Any:
    if key == "dim_ordering" and isinstance(value, str):
        return _DATA_FORMATS.get(value, value)
    if key.endswith(("regularizer", "constraint")) and isinstance(value, Mapping) and "name" in value:
        rest = {"max_value" if name == "m" else name: item for name, item in value.items() if name != "name"}
        return {"class_name": "L1L2" if key.endswith("regularizer") else value["name"], "config": rest}
    return value


def _merge(values: dict[str, Any], where: str) -> dict[str, Any]:
    """The layer that merges as a `Merge` does."""
    mode = values.get("mode")
    if not isinstance(mode, str) or mode not in _MERGES or values.get("layers"):
        raise ValueError(f"{where}: expected a mode among {sorted(_MERGES)} and no layers inside, got {mode!r:.40}.")
    config: dict[str, Any] = {"name": values.get("name"), "trainable": True}  # a name alone would be an operation's
    if mode == "concat":
        config["axis"] = values.get("concat_axis", -1)
    return {"class_name": _MERGES[mode], "config": config}
