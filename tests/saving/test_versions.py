"""Files of Keras 1 and 2 mean what their version meant."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nb3d
from nb3d.models.versions import in_new_words
from nb3d.saving import ModelFileError
from tests.saving.networks import predictions

layers = nb3d.layers
GOLDEN = Path(__file__).resolve().parent / "golden_keras2"
VERSIONS = sorted(path.stem for path in GOLDEN.glob("*.npz"))


def distance(model: Any, version: str) -> float:
    """How far the model is from what Keras computed, relative to the largest value."""
    with np.load(GOLDEN / f"{version}.npz") as data:
        wanted = [data[key] for key in data.files]
    pairs = zip(predictions(model), wanted, strict=True)
    return max(float(np.abs(mine - its).max() / np.abs(its).max()) for mine, its in pairs)


def built(version: str, **options: Any) -> Any:
    config = json.loads((GOLDEN / f"{version}.json").read_text())
    return nb3d.models.model_from_config(config, **options)


def test_both_layouts_of_keras_2_were_recorded() -> None:
    assert VERSIONS == ["2.12.0", "2.21.0", "2.21.0-functions", "2.21.0-tokens"]


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_whole_model_of_keras_2_computes_what_keras_2_computed(version: str, ending: str) -> None:
    assert distance(nb3d.models.load_model(GOLDEN / f"{version}.{ending}"), version) < 1e-5


@pytest.mark.parametrize("ending", ["weights.h5", "legacy.h5"])
@pytest.mark.parametrize("version", VERSIONS)
def test_weights_alone_of_keras_2_go_into_its_configuration(version: str, ending: str) -> None:
    model = built(version)
    model.load_weights(GOLDEN / f"{version}.{ending}")
    assert distance(model, version) < 1e-5


@pytest.mark.parametrize("ending", ["keras", "h5", "safetensors"])
def test_a_model_of_keras_2_stays_the_same_when_it_is_saved_as_one_of_keras_3(ending: str, tmp_path: Path) -> None:
    model = nb3d.models.load_model(GOLDEN / f"{VERSIONS[0]}.h5")
    model.save(tmp_path / f"new.{ending}")
    assert distance(nb3d.models.load_model(tmp_path / f"new.{ending}"), VERSIONS[0]) < 1e-5


def test_taken_for_one_of_keras_3_it_would_compute_something_else() -> None:
    model = built(VERSIONS[0], keras_version="3.0.0")
    model.load_weights(GOLDEN / f"{VERSIONS[0]}.legacy.h5")
    assert distance(model, VERSIONS[0]) > 0.01


def test_the_hard_sigmoid_of_keras_2_is_exact_and_can_be_cloned() -> None:
    x = np.linspace(-4, 4, 33, dtype="float32").reshape(1, -1)
    entry = {"class_name": "Activation", "config": {"name": "gate", "activation": "hard_sigmoid"}}
    head = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 33]}}
    config = {"class_name": "Sequential", "config": {"name": "old", "layers": [head, entry]}, "keras_version": "2.3.1"}
    model = nb3d.models.model_from_json(json.dumps(config))
    for copy in (model, nb3d.models.clone_model(model), nb3d.models.model_from_json(model.to_json())):
        np.testing.assert_allclose(copy.predict(x, verbose=0), np.clip(0.2 * x + 0.5, 0, 1), atol=2e-7)


def test_the_dilation_of_a_transposed_convolution_counts_since_keras_3() -> None:
    config = {"class_name": "Conv3DTranspose", "config": {"name": "up", "dilation_rate": [2, 2, 2], "strides": 2}}
    whole = {"class_name": "Sequential", "config": {"name": "m", "layers": [config]}}
    assert "dilation_rate" not in in_new_words(whole, "2.3.1")["config"]["layers"][0]["config"]
    assert "dilation_rate" in in_new_words(whole, "3.0.0")["config"]["layers"][0]["config"]
    assert "dilation_rate" in config["config"]  # what was given is not changed


def test_a_thresholded_relu_is_zero_up_to_and_at_its_threshold() -> None:
    head = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 4]}}
    entry = {"class_name": "ThresholdedReLU", "config": {"name": "gate", "theta": 0.1}}
    config = {"class_name": "Sequential", "config": {"name": "old", "layers": [head, entry]}, "keras_version": "2.9.0"}
    x = np.array([[0.1, 0.10001, 0.0, -3.0]], "float32")
    y = nb3d.models.model_from_json(json.dumps(config)).predict(x, verbose=0)
    np.testing.assert_array_equal(y, [[0.0, x[0, 1], 0.0, 0.0]])


def function_layer(function: str, **keywords: Any) -> dict[str, Any]:
    """A model of Keras 2 with one function of TensorFlow."""
    head = {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_input_shape": [None, 4]}}
    entry = {"class_name": "TFOpLambda", "name": "odd", "config": {"name": "odd", "function": function}}
    calls = [["x", 0, 0, keywords]]
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["odd", 0, 0]]}
    layers = [{**head, "inbound_nodes": []}, {**entry, "inbound_nodes": calls}]
    return {"class_name": "Functional", "config": {"name": "m", "layers": layers, **ends}, "keras_version": "2.9.0"}


@pytest.mark.parametrize(
    ("function", "keywords", "message"),
    [
        ("io.read_file", {}, "no operation for TensorFlow's function 'io.read_file'"),
        ("nn.swish", {"beta": 2.0}, "argument 'beta' = 2.0 is unknown"),
        ("math.add", {}, "not understood: 'y'"),
        ("math.add", {"y": [[1.0], {"class_name": "x"}]}, "not understood"),
        ("math.reduce_sum", {"axis": 7}, "axis"),
    ],
)
def test_a_function_that_nb3d_lacks_is_refused_by_name(function: str, keywords: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"Layer 'odd'.*{message}"):
        nb3d.models.model_from_config(function_layer(function, **keywords))


def test_a_model_of_functions_is_saved_with_operations_in_their_place(tmp_path: Path) -> None:
    model = nb3d.models.load_model(GOLDEN / "2.21.0-functions.h5")
    model.save(tmp_path / "new.keras")
    assert distance(nb3d.models.load_model(tmp_path / "new.keras"), "2.21.0-functions") < 1e-5


ODD = [{}, {"class_name": 3}, {"class_name": "Model", "config": {"layers": [None, 3, []]}}]


@pytest.mark.parametrize("config", ODD)
def test_what_is_no_configuration_is_left_to_the_schema(config: Any) -> None:
    assert in_new_words({**config, "keras_version": "1.2.2"}) == {**config, "keras_version": "1.2.2"}


# ---- Keras 1

CONV = {
    "name": "convolution3d_1", "nb_filter": 2, "kernel_dim1": 3, "kernel_dim2": 2, "kernel_dim3": 1,
    "init": "he_normal", "activation": "relu", "border_mode": "same", "subsample": [1, 1, 1], "dim_ordering": "th",
    "bias": True,
    "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01}, "b_regularizer": None,
    "W_constraint": {"name": "MaxNorm", "m": 2, "axis": 0}, "b_constraint": None, "activity_regularizer": None,
    "trainable": True, "input_dtype": "float32", "batch_input_shape": [None, 1, 5, 6, 4],
}  # fmt: skip
OTHERS = [
    ("BatchNormalization", {"name": "bn", "mode": 0, "axis": 1, "epsilon": 0.001, "gamma_init": "one"}),
    ("MaxPooling3D", {"name": "pool", "pool_size": [2, 2, 2], "strides": [2, 2, 2], "border_mode": "valid",
                      "dim_ordering": "th"}),
    ("Dropout", {"name": "drop", "p": 0.5}),
    ("Flatten", {"name": "flat"}),
    ("Dense", {"name": "dense", "output_dim": 3, "init": "glorot_uniform", "activation": "hard_sigmoid", "bias": True,
               "input_dim": None}),
]  # fmt: skip


def keras_1() -> dict[str, Any]:
    entries = [("Convolution3D", CONV), *OTHERS]
    listed = [{"class_name": name, "config": config} for name, config in entries]
    return {"class_name": "Sequential", "config": listed, "keras_version": "1.2.2"}


def test_the_words_of_keras_1_are_understood() -> None:
    model = nb3d.models.model_from_json(json.dumps(keras_1()))
    conv, norm, pool, drop, _, dense = model.layers
    assert (conv.filters, conv.kernel_size, conv.padding, conv.data_format) == (2, (3, 2, 1), "same", "channels_first")
    assert conv.kernel_regularizer.l2 == pytest.approx(0.01)
    assert (conv.kernel_constraint.max_value, norm.axis, drop.rate, dense.units) == (2, 1, 0.5, 3)
    assert (pool.padding, pool.data_format) == ("valid", "channels_first")
    assert type(dense.activation) is nb3d.Sequential


@pytest.mark.parametrize("backend", [b"tensorflow", b"theano", None])
def test_the_kernels_of_keras_1_are_turned_and_those_of_theano_flipped(backend: bytes | None, tmp_path: Path) -> None:
    model = nb3d.models.model_from_json(json.dumps(keras_1()))
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps(keras_1()).encode()
        group = file.create_group("model_weights")  # Keras 1 wrote no version there
        if backend:
            group.attrs["backend"] = backend
        group.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            part = group.create_group(layer.name)
            names = [f"{layer.name}_W{index}".encode() for index, _ in enumerate(layer.weights)]
            part.attrs["weight_names"] = names
            for name, array in zip(names, weights.get(layer.name, []), strict=True):
                kernel = array.ndim == 5
                stored = array[::-1, ::-1, ::-1] if kernel and backend == b"theano" else array
                part[name] = stored.transpose(4, 3, 0, 1, 2) if kernel else stored
    loaded = nb3d.models.load_model(path)
    for mine, its in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize(
    ("mode", "class_name"), [("sum", "Add"), ("concat", "Concatenate"), ("mul", "Multiply"), ("ave", "Average")]
)
def test_a_merge_becomes_the_layer_that_merges_so(mode: str, class_name: str) -> None:
    inputs = [{"class_name": "InputLayer", "name": name, "inbound_nodes": [],
               "config": {"name": name, "batch_input_shape": [None, 2], "input_dtype": "float32"}} for name in "ab"]
    merge = {"class_name": "Merge", "name": "merge_1", "inbound_nodes": [[["a", 0, 0], ["b", 0, 0]]],
             "config": {"name": "merge_1", "mode": mode, "concat_axis": 1, "dot_axes": -1, "layers": []}}
    ends = {"input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["merge_1", 0, 0]]}
    config = {"class_name": "Model", "config": {"name": "m", "layers": [*inputs, merge], **ends}}
    model = nb3d.models.model_from_config(config, keras_version="1.2.2")
    assert type(model.get_layer("merge_1")).__name__ == class_name


@pytest.mark.parametrize(
    ("name", "config"),
    [("Merge", {"name": "odd", "mode": "dot"}), ("BatchNormalization", {"name": "odd", "mode": 2})],
)
def test_what_keras_2_has_no_layer_for_is_refused_by_name(name: str, config: dict[str, Any]) -> None:
    whole = keras_1()
    whole["config"].append({"class_name": name, "config": config})
    with pytest.raises(ValueError, match=r"Layer 'odd'.*expected"):
        nb3d.models.model_from_json(json.dumps(whole))


@pytest.mark.parametrize("rank", [2, 3])
def test_a_transposed_convolution_of_keras_1_is_refused_with_the_reason(rank: int) -> None:
    whole = keras_1()
    whole["config"].append({"class_name": f"Deconvolution{rank}D", "config": {"name": "up", "nb_filter": 2}})
    with pytest.raises(ValueError, match=rf"Layer 'up'.*output_shape.*Conv{rank}DTranspose"):
        nb3d.models.model_from_json(json.dumps(whole))


def test_a_version_that_is_none_is_refused_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes((GOLDEN / f"{VERSIONS[0]}.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["keras_version"] = "4.0.0"
    with pytest.raises(ModelFileError, match="keras_version"):
        nb3d.models.load_model(path)
