"""Records what layers of real Keras compute, for ``tests/layers/test_golden.py``.

Run it in an environment with Keras 3 on TensorFlow, from the root of the repository:

    KERAS_BACKEND=tensorflow python dev/record_layer_goldens.py

It writes ``tests/layers/golden/layers.npz``: for each case the configuration as Keras writes it, names of the inputs,
weights before and after the call, and the output. TensorFlow has no channels-first convolutions on a CPU, so those are
recorded on transposed volumes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

TARGET = Path(__file__).resolve().parent.parent / "tests" / "layers" / "golden" / "layers.npz"

VOLUME = (2, 5, 6, 7, 4)  # batch, depth, height, width, channels
SMALL = (2, 3, 4, 3, 4)
NOT_ON_CPU = {"Conv3D", "Conv3DTranspose", "MaxPooling3D", "AveragePooling3D"}
ACTIVATIONS = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "swish", "tanh",
    "tanh_shrink",
]  # fmt: skip


@dataclass
class Case:
    """One layer on one input.

    Attributes:
        class_name: The layer.
        kwargs: Its arguments.
        shapes: Shapes of its inputs; those of volumes are in channels last, whatever the layer's format.
        call: Keyword arguments of the call.
        masked: Whether every input first passes a Masking layer.
    """

    class_name: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = (VOLUME,)
    call: dict[str, Any] = field(default_factory=dict)
    masked: bool = False

    @property
    def name(self) -> str:
        """A readable name, unique among the cases."""
        arguments = ",".join(f"{key}={value}" for key, value in {**self.kwargs, **self.call}.items())
        shapes = "" if self.shapes == (VOLUME,) else "|" + "+".join("x".join(map(str, shape)) for shape in self.shapes)
        return f"{self.class_name}({arguments}){shapes}{'|masked' * self.masked}".replace(" ", "")


def cases() -> list[Case]:
    """All cases."""
    both = [{"data_format": "channels_last"}, {"data_format": "channels_first"}]
    found: list[Case] = []

    def add(class_name: str, *variants: dict[str, Any], formats: bool = False, **more: Any) -> None:
        for variant, form in product(variants or ({},), both if formats else [{}]):
            found.append(Case(class_name, {**variant, **form}, **more))

    add(
        "Conv3D",
        {"filters": 3, "kernel_size": 3},
        {"filters": 2, "kernel_size": (1, 2, 3), "padding": "same", "activation": "relu"},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False},
        {"filters": 2, "kernel_size": (3, 2, 4), "strides": (2, 3, 1), "activation": "tanh"},
        {"filters": 2, "kernel_size": 2, "dilation_rate": (2, 1, 3), "padding": "same"},
        {"filters": 2, "kernel_size": (2, 3, 2), "dilation_rate": 2},
        {"filters": 6, "kernel_size": 2, "groups": 2},
        {"filters": 4, "kernel_size": (2, 3, 3), "groups": 4, "padding": "same", "strides": (1, 2, 2)},
        formats=True,
    )
    add("Conv3D", {"filters": 5, "kernel_size": 1, "activation": "softmax"})
    add(
        "Conv3DTranspose",
        {"filters": 3, "kernel_size": 2, "strides": 2},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"},
        {"filters": 2, "kernel_size": (3, 2, 1), "strides": (2, 1, 3)},
        {"filters": 2, "kernel_size": (2, 3, 4), "strides": (3, 2, 1), "padding": "same", "use_bias": False},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1},
        {"filters": 2, "kernel_size": 3, "strides": (2, 3, 2), "output_padding": (1, 0, 1)},
        {"filters": 2, "kernel_size": 1, "strides": 2},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2},
        {"filters": 2, "kernel_size": (3, 2, 2), "dilation_rate": (1, 2, 1), "padding": "same"},
        formats=True,
        shapes=((2, 3, 2, 4, 4),),
    )
    windows = [
        {},
        {"pool_size": 3, "strides": 2, "padding": "same"},
        {"pool_size": (1, 2, 3), "strides": (2, 1, 1)},
        {"pool_size": 2, "padding": "same"},
        {"pool_size": (2, 3, 4), "strides": 1, "padding": "same"},
    ]
    add("MaxPooling3D", *windows, formats=True)
    add("AveragePooling3D", *({"pool_size": 2} | window for window in windows), formats=True)
    add("GlobalMaxPooling3D", {}, {"keepdims": True}, formats=True)
    add("GlobalAveragePooling3D", {}, {"keepdims": True}, formats=True)
    add("UpSampling3D", {}, {"size": (1, 3, 2)}, formats=True)
    add("ZeroPadding3D", {}, {"padding": (0, 2, 1)}, {"padding": ((1, 0), (0, 2), (3, 1))}, formats=True)
    add("Cropping3D", {}, {"cropping": (0, 2, 1)}, {"cropping": ((1, 0), (0, 2), (3, 1))}, formats=True)
    add("SpatialDropout3D", {"rate": 0.5}, formats=True)
    add("Flatten", formats=True)
    add("Flatten", shapes=((4, 3),))
    add("BatchNormalization", {}, {"axis": 1}, {"axis": 2, "epsilon": 0.1}, {"center": False}, {"scale": False})
    add("BatchNormalization", {"center": False, "scale": False}, shapes=((5, 4),))
    add("BatchNormalization", {"momentum": 0.75}, {"axis": 1, "momentum": 0.5}, call={"training": True})
    add("BatchNormalization", {"momentum": 0.75}, call={"training": True}, masked=True)
    add("BatchNormalization", {"trainable": False}, call={"training": True})
    small: dict[str, Any] = {"shapes": (SMALL,)}
    axes = [{}, {"axis": 1}, {"axis": [-1]}, {"axis": [1, 2, 3, 4]}, {"axis": [3, 1]}, {"axis": [1, -1]}]
    switches = [{"center": False}, {"scale": False}, {"center": False, "scale": False}]
    add("LayerNormalization", *axes, *switches, {"epsilon": 0.1}, {"axis": [2, 4], "rms_scaling": True}, **small)
    add("LayerNormalization", shapes=((5, 4),))
    add("LayerNormalization", masked=True, **small)
    add("RMSNormalization", {}, {"axis": [1, 2, 3, 4]}, {"epsilon": 0.1}, **small)  # of others Keras has it wrong
    add("RMSNormalization", shapes=((5, 4),))
    add("UnitNormalization", *axes, **small)
    add("UnitNormalization", masked=True, **small)
    add("GroupNormalization", *({"groups": groups} for groups in (1, 2, 4, -1)), **small)
    add("GroupNormalization", *({"groups": 2, **switch} for switch in switches), {"groups": 1, "epsilon": 0.1}, **small)
    add("GroupNormalization", {"groups": 3, "axis": 1}, {"groups": 2, "axis": 2}, {"groups": -1, "axis": 1}, **small)
    add("GroupNormalization", {"groups": 2}, shapes=((5, 4),))
    add("GroupNormalization", {"groups": 2}, masked=True, **small)
    statistics = {"mean": [0.5, -1.0, 2.0, 0.0], "variance": [1.0, 4.0, 0.25, 0.0]}
    add("Normalization", {}, {"axis": None}, {"axis": [1, 4]}, {"invert": True}, statistics, **small)
    add("Normalization", {**statistics, "invert": True}, {**statistics, "axis": [2, -1]}, **small)
    add("Normalization", {"mean": 0.5, "variance": 2.0}, {"mean": 0.5, "variance": 2.0, "axis": None}, **small)
    linear = [{"size": size, "interpolation": "linear"} for size in ((2, 2, 2), (3, 1, 4))]
    add("UpSampling3D", *linear, formats=True, shapes=((1, 2, 3, 4, 2),))
    add("Dense", {"units": 3}, {"units": 2, "activation": "gelu", "use_bias": False})
    add("Dense", {"units": 3, "activation": "relu"}, shapes=((5, 4),))
    add("Activation", *({"activation": name} for name in ACTIVATIONS))
    add("ReLU", {}, {"max_value": 1.0}, {"negative_slope": 0.25})
    add("ReLU", {"threshold": 0.5, "negative_slope": 0.1, "max_value": 1.5})
    add("LeakyReLU", {}, {"negative_slope": 0.1})
    add("ELU", {}, {"alpha": 0.5})
    add("PReLU", {}, {"shared_axes": [1, 2, 3]}, {"shared_axes": [2]}, {"shared_axes": [1, 4]})
    add("Softmax", {}, {"axis": 1}, {"axis": [1, 2, 3]}, {"axis": [-1]})
    add("Dropout", {"rate": 0.5}, {"rate": 0.25, "noise_shape": [None, 1, 1, 1, 4]})
    add("Rescaling", {"scale": 0.5, "offset": -1.0}, {"scale": [1.0, 2.0, 3.0, 4.0]})
    add("Masking", {}, {"mask_value": 0.5})
    add("Reshape", {"target_shape": (-1, 4)}, {"target_shape": (7, 2, 60)}, {"target_shape": (840,)})
    add("Permute", {"dims": (4, 1, 2, 3)}, {"dims": (3, 2, 1, 4)})
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        add(name, shapes=(VOLUME, VOLUME))
        add(name, shapes=(VOLUME, (2, 1, 6, 1, 4), VOLUME))
        add(name, shapes=((2, 7, 4), VOLUME))
        add(name, shapes=(VOLUME, VOLUME, VOLUME), masked=True)
    add("Subtract", shapes=(VOLUME, (2, 1, 1, 1, 4)))
    add("Concatenate", shapes=(VOLUME, (2, 5, 6, 7, 1), VOLUME))
    add("Concatenate", {"axis": 2}, shapes=(VOLUME, (2, 5, 3, 7, 4)))
    add("Concatenate", shapes=(VOLUME, VOLUME), masked=True)
    return found


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
    """A volume in the other data format."""
    if x.ndim != 5:
        return x
    return np.ascontiguousarray(np.moveaxis(x, 1, -1) if back else np.moveaxis(x, -1, 1))


def layer_class(case: Case) -> Any:
    """The class of Keras; for linear upsampling, which it has of images only, one that makes two steps of it."""
    import keras

    class UpSampling3D(keras.layers.UpSampling3D):  # type: ignore[misc]
        def __init__(self, interpolation: str, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.interpolation = interpolation

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "interpolation": self.interpolation}

        def call(self, inputs: Any) -> Any:
            (depth, height, width), ops = self.size, keras.ops
            first = self.data_format == "channels_first"
            x = ops.moveaxis(inputs, 1, -1) if first else inputs
            n, d, h, w, c = x.shape
            images = keras.layers.UpSampling2D((height, width), interpolation="bilinear")(ops.reshape(x, (-1, h, w, c)))
            rows = ops.reshape(images, (n, d, h * height * w * width, c))
            rows = keras.layers.UpSampling2D((depth, 1), interpolation="bilinear")(rows)
            y = ops.reshape(rows, (n, d * depth, h * height, w * width, c))
            return ops.moveaxis(y, -1, 1) if first else y

    return UpSampling3D if "interpolation" in case.kwargs else getattr(keras.layers, case.class_name)


def record(case: Case, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Runs one case in Keras; adds its arrays, and returns what else is to be kept."""
    import keras

    keras.utils.clear_session()
    names = []
    for position, shape in enumerate(case.shapes):
        name = "input_" + "x".join(map(str, shape)) + f"_{position}"
        arrays.setdefault(name, values(shape, position))
        names.append(name)
    inputs = [arrays[name] for name in names]
    first = case.kwargs.get("data_format") == "channels_first"
    by_transposing = first and case.class_name in NOT_ON_CPU
    kwargs = {**case.kwargs, "name": "layer"}
    config = keras.layers.serialize(layer_class(case)(**kwargs))
    layer = layer_class(case)(**kwargs)
    if by_transposing:
        layer.data_format = "channels_last"
    fed = [flipped(x) for x in inputs] if first and not by_transposing else inputs
    symbols = [keras.Input(batch_shape=x.shape) for x in fed]
    tensors = [keras.layers.Masking()(x) for x in symbols] if case.masked else symbols
    layer(tensors if len(tensors) > 1 else tensors[0])
    layer.set_weights([weight_values(weight.name, weight.shape) for weight in layer.weights])
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()
    before = [np.asarray(weight) for weight in layer.get_weights()]
    eager = [keras.layers.Masking()(x) for x in fed] if case.masked else fed
    output = np.asarray(layer(eager if len(eager) > 1 else eager[0], **case.call))
    after = [np.asarray(weight) for weight in layer.get_weights()]
    arrays[f"{case.name}/output"] = flipped(output) if by_transposing else output
    for index, weight in enumerate(before):
        arrays[f"{case.name}/weight_{index}"] = weight
    for index, weight in enumerate(after if case.call.get("training") else []):
        arrays[f"{case.name}/after_{index}"] = weight
    return {
        "name": case.name,
        "config": config,
        "inputs": names,
        "channels_first": first,
        "call": case.call,
        "masked": case.masked,
        "weights": len(before),
    }


def main() -> None:
    """Writes the file."""
    import keras

    arrays: dict[str, np.ndarray] = {}
    notes = [record(case, arrays) for case in cases()]
    index = json.dumps({"keras": keras.__version__, "backend": keras.backend.backend(), "cases": notes})
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(TARGET, index=np.frombuffer(index.encode(), np.uint8), **arrays)
    print(f"{len(notes)} cases, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
