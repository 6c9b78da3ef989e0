"""Configurations that want more than to be a model: nothing in them runs, opens, or is believed without a check."""

import base64
import json
import marshal
from pathlib import Path
from typing import Any

import h5py
import pytest

import nb3d
from nb3d.saving import ModelFileError
from tests.saving.craft import archive, layer_of, refusal, small_model, with_config

CODE = base64.b64encode(marshal.dumps((lambda x: print("it ran")).__code__)).decode()


def replaced(name: str, **entry: Any) -> Any:
    """A change that replaces parts of a layer's entry."""
    return lambda config: layer_of(config, name).update(entry)


def configured(name: str, **values: Any) -> Any:
    """A change that replaces arguments of a layer."""
    return lambda config: layer_of(config, name)["config"].update(values)


# ---- code (CVE-2024-3660, CVE-2025-9905, CVE-2025-49655, CVE-2026-12481)

LAMBDAS = {
    "keras 3": {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}},
    "keras 2": [CODE, None, None],
    "by name": "print",
    "as a function": {"module": "builtins", "class_name": "function", "config": "print", "registered_name": "print"},
}


@pytest.mark.parametrize("function", LAMBDAS.values(), ids=LAMBDAS)
@pytest.mark.parametrize("options", [{}, {"safe_mode": False}, {"custom_objects": {"Other": nb3d.layers.Dense}}])
def test_a_lambda_is_refused_with_a_word_on_how_to_replace_it(
    function: Any, options: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"name": "head", "function": function, "function_type": "lambda", "arguments": {}}
    message = refusal(with_config(tmp_path, replaced("head", class_name="Lambda", config=config)), **options)
    assert "subclass of nb3d.layers.Layer" in message
    assert CODE not in message
    assert capsys.readouterr().out == ""


def test_a_lambda_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    message = refusal(with_config(tmp_path, configured("conv", kernel_initializer=LAMBDAS["keras 3"])))
    assert "lambda" in message


# ---- names (CVE-2025-1550, CVE-2025-8747, CVE-2025-9906)

NAMES = [
    {"class_name": "os.system"},
    {"class_name": "system", "module": "os"},
    {"class_name": "__import__", "module": "builtins"},
    {"class_name": "get_file", "module": "keras.utils"},
    {"class_name": "enable_unsafe_deserialization", "module": "keras.config"},
    {"class_name": "../../layers/Dense"},
    {"class_name": "function", "config": {"name": "head", "value": "os.system"}},
    {"class_name": "Popen", "module": "subprocess", "registered_name": "Dense"},
    {"class_name": "__typespec__", "module": "os", "spec_name": "system"},
]


@pytest.mark.parametrize("entry", NAMES, ids=lambda entry: entry["class_name"])
def test_a_name_that_is_no_layer_is_refused_and_said(entry: dict[str, str], tmp_path: Path) -> None:
    message = refusal(with_config(tmp_path, replaced("head", **entry)))
    assert repr(entry["class_name"]) in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kernel_initializer", {"module": "os", "class_name": "system", "config": {"command": "true"}}),
        ("kernel_initializer", "os.system"),
        ("activation", {"module": "builtins", "class_name": "function", "config": "eval"}),
        ("activation", "__class__"),
        ("kernel_regularizer", {"class_name": "exec", "config": {}}),
        ("kernel_constraint", {"class_name": "register", "config": {}}),
        ("dtype", {"module": "os", "class_name": "system", "config": {"name": "float32"}}),
        ("dtype", "O"),
    ],
)
def test_a_name_that_is_no_argument_is_refused_with_the_layer(key: str, value: Any, tmp_path: Path) -> None:
    assert "'conv'" in refusal(with_config(tmp_path, configured("conv", **{key: value})))


def test_an_attribute_of_a_class_is_no_argument(tmp_path: Path) -> None:
    message = refusal(with_config(tmp_path, configured("conv", __class__="x", call="y")))
    assert "'conv'" in message
    assert "__class__" in message


# ---- sizes (CVE-2026-0897 and bombs)


def test_weights_beyond_the_budget_are_refused_before_they_exist(tmp_path: Path) -> None:
    path = with_config(tmp_path, configured("head", units=10**9))
    message = refusal(path)
    assert "'head'" in message
    assert f"expected at most {8 * 2**30} bytes" in message
    assert "(2, 1000000000)" in message
    assert "got" in message


def test_the_budget_is_the_caller_s(tmp_path: Path) -> None:
    path = with_config(tmp_path, lambda config: None)
    needed = sum(array.nbytes for array in nb3d.models.load_model(path).get_weights())
    nb3d.models.load_model(path, max_bytes=needed)
    assert f"got {needed}" in refusal(path, max_bytes=needed - 1)
    model = nb3d.models.load_model(path)
    with pytest.raises(ValueError, match="max_bytes"):
        model.load_weights(path, max_bytes=10)
    for wrong in (-1, 1.5, True):
        with pytest.raises(TypeError, match="max_bytes"):
            nb3d.models.load_model(path, max_bytes=wrong)


@pytest.mark.parametrize(
    ("layer", "values"),
    [
        ("conv", {"filters": -1}),
        ("conv", {"filters": 0}),
        ("conv", {"filters": 2.5}),
        ("conv", {"filters": "2"}),
        ("conv", {"filters": [2]}),
        ("conv", {"kernel_size": [3, 3]}),
        ("conv", {"kernel_size": [3, -3, 3]}),
        ("conv", {"strides": 0}),
        ("conv", {"dilation_rate": [1, 1, 2**40]}),
        ("conv", {"dilation_rate": [1, 1, 2**40], "padding": "same"}),
        ("conv", {"groups": 3}),
        ("conv", {"padding": "outer"}),
        ("conv", {"padding": ["same"]}),
        ("head", {"units": True}),
        ("head", {"units": None}),
        ("norm", {"axis": 7}),
        ("norm", {"epsilon": "small"}),
        ("scan", {"batch_shape": [None, -4, 4, 4, 1]}),
        ("scan", {"batch_shape": "wide"}),
        ("conv", {"frobnicate": 3}),
        ("conv", {"lora_rank": 4}),
    ],
)
def test_an_argument_out_of_range_is_refused_with_the_layer(layer: str, values: dict[str, Any], tmp_path: Path) -> None:
    message = refusal(with_config(tmp_path, configured(layer, **values)))
    assert f"'{layer}'" in message


# ---- the text


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999", str(2**63), "9" * 5000])
def test_numbers_that_are_none_are_refused(constant: str, tmp_path: Path) -> None:
    def change(config: Any) -> str:
        layer_of(config, "norm")["config"]["epsilon"] = "HERE"
        return json.dumps(config).replace('"HERE"', constant)

    assert "config.json" in refusal(with_config(tmp_path, change))


def test_a_key_that_comes_twice_is_refused(tmp_path: Path) -> None:
    message = refusal(with_config(tmp_path, lambda config: json.dumps(config).replace("{", '{"module": "os", ', 1)))
    assert "'module' comes twice" in message


@pytest.mark.parametrize("depth", [200, 900, 100_000])
@pytest.mark.parametrize("brackets", ["[]", ['{"a":', "}"]])
def test_deep_text_is_refused(depth: int, brackets: Any, tmp_path: Path) -> None:
    opening, closing = brackets
    text = opening * depth + ("" if brackets == "[]" else "1") + closing * depth
    assert "deep" in refusal(with_config(tmp_path, lambda config: text))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"model"', "null", "{}", '{"class_name": 3, "config": {}}'])
def test_text_that_is_no_configuration_is_refused(text: str, tmp_path: Path) -> None:
    assert "config.json" in refusal(with_config(tmp_path, lambda config: text))


def test_text_of_too_many_values_is_refused_before_it_is_read(tmp_path: Path) -> None:
    text = "[" + "0," * 4_000_001 + "0]"
    assert "holds more than" in refusal(with_config(tmp_path, lambda config: text))


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="UTF-8"):
        nb3d.models.model_from_json(b"\xff\xfe{}")  # type: ignore[arg-type]


# ---- the graph


def tensor(*history: Any) -> Any:
    config = {"shape": [None, 2, 2, 2, 2], "dtype": "float32", "keras_history": list(history)}
    return {"class_name": "__keras_tensor__", "config": config}


def called_on(*args: Any) -> Any:
    return lambda config: layer_of(config, "head").update(inbound_nodes=[{"args": list(args), "kwargs": {}}])


GRAPHS = {
    "a layer that is not there": (called_on(tensor("nobody", 0, 0)), "'nobody'"),
    "a call that is not there": (called_on(tensor("conv", 1, 0)), "'head'"),
    "an output that is not there": (called_on(tensor("conv", 0, 5)), "'conv'"),
    "itself": (called_on(tensor("head", 0, 0)), "'head'"),
    "a negative call": (called_on(tensor("conv", -1, 0)), "'head'"),
    "a boolean": (called_on(tensor("conv", True, 0)), "'head'"),
    "a huge call": (called_on(tensor("conv", 2**62, 0)), "'head'"),
    "no history": (called_on({"class_name": "__keras_tensor__", "config": {}}), "'head'"),
    "a tag that nobody knows": (called_on({"class_name": "__bytes__", "config": {}}), "__bytes__"),
    "no tensor": (called_on(3), "'head'"),
    "a call that is a number": (lambda config: layer_of(config, "head").update(inbound_nodes=[3]), "'head'"),
    "calls that are a number": (lambda config: layer_of(config, "head").update(inbound_nodes=3), "'head'"),
    "two layers of one name": (lambda config: layer_of(config, "head").update(name="conv"), "'conv'"),
    "a name that is a list": (lambda config: layer_of(config, "head").update(name=["head"]), "name"),
    "a name that would not print": (lambda config: layer_of(config, "head").update(name="a\x1b[2Jb"), "name"),
    "no layers": (lambda config: config["config"].update(layers=[]), "layers"),
    "layers that are none": (lambda config: config["config"].update(layers=[1, 2]), "layer 0"),
    "no outputs": (lambda config: config["config"].pop("output_layers"), "output_layers"),
    "outputs of nobody": (lambda config: config["config"].update(output_layers=["nobody", 0, 0]), "'nobody'"),
    "a sharing that is a list": (lambda config: layer_of(config, "head").update(shared_object_id=[1]), "'head'"),
    "a slice of texts": (
        called_on({"class_name": "__slice__", "config": {"start": None, "stop": None, "step": ""}}),
        "from integer to integer",
    ),
    "an array that is one of objects": (
        called_on({"class_name": "__numpy__", "config": {"value": [1], "dtype": "O"}}), "dtype",
    ),
    "an array of long strings": (
        called_on({"class_name": "__numpy__", "config": {"value": "a", "dtype": "U2000000000"}}), "dtype",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "named"), GRAPHS.values(), ids=GRAPHS)
def test_a_graph_that_is_none_is_refused(change: Any, named: str, tmp_path: Path) -> None:
    assert named in refusal(with_config(tmp_path, change))


def test_nothing_is_built_unless_the_whole_is_sound(tmp_path: Path) -> None:
    built = []

    class Witness(nb3d.layers.Dense):
        def __init__(self, **kwargs: Any) -> None:
            built.append(kwargs["name"])
            super().__init__(**kwargs)

    def change(config: Any) -> None:
        layer_of(config, "conv")["class_name"] = "Witness"
        layer_of(config, "head")["class_name"] = "Unheard"

    assert "'Unheard'" in refusal(with_config(tmp_path, change), custom_objects={"Witness": Witness})
    assert built == []


def test_what_a_custom_layer_raises_names_the_file(tmp_path: Path) -> None:
    class Fragile(nb3d.layers.Layer):
        def call(self, inputs: Any) -> Any:
            raise RuntimeError("it broke")

    path = with_config(tmp_path, replaced("head", class_name="Fragile", config={"name": "head"}))
    assert "it broke" in refusal(path, custom_objects={"Fragile": Fragile})


@pytest.mark.parametrize("version", ["4.0.0", "99", "three", 3, ["3"]])
def test_a_file_of_an_unknown_version_is_refused(version: Any, tmp_path: Path) -> None:
    metadata = json.dumps({"keras_version": version}).encode()
    message = refusal(archive(tmp_path, lambda content: content.update({"metadata.json": metadata})))
    assert "keras_version" in message


@pytest.mark.parametrize("ending", [".keras", ".h5", ".safetensors", "legacy weights"])
def test_nor_are_weights_of_an_unknown_version(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, path = small_model(), tmp_path / f"model{ending if ending.startswith('.') else '.h5'}"
    monkeypatch.setattr("nb3d.saving.writer.KERAS_VERSION", "4.0.0")
    model.save(path)
    if ending == "legacy weights":
        with h5py.File(path) as file, h5py.File(tmp_path / "weights.h5", "w") as weights:
            file.copy("model_weights", weights)
            weights.attrs.update(weights["model_weights"].attrs)
            for name in list(weights["model_weights"]):
                weights.move(f"model_weights/{name}", name)
        path = tmp_path / "weights.h5"
    with pytest.raises(ModelFileError, match=r"keras_version.*expected at most 3, got '4\.0\.0'"):
        model.load_weights(path)
    assert "keras_version" in nb3d.saving.verify_file(path).problems[0]


@pytest.mark.parametrize("kind", ["Tile", "Repeat"])
def test_an_operation_that_repeats_without_end_is_refused_before_memory_is_taken(kind: str) -> None:
    x = nb3d.Input((4,), name="x")
    y = nb3d.ops.tile(x, 3) if kind == "Tile" else nb3d.ops.repeat(x, 3, axis=1)
    config = json.loads(nb3d.Model(x, y).to_json())
    config["config"]["layers"][1]["config"]["repeats"] = 2**30
    with pytest.raises(ValueError, match="at most 65536 repetitions"):
        nb3d.models.model_from_config(config)


@pytest.mark.parametrize(("number", "said"), [(2**30, "at most 16777216"), (2**62, "num_classes"), (0, "num_classes")])
def test_a_one_hot_of_no_number_of_classes_is_refused_before_memory_is_taken(number: int, said: str) -> None:
    x = nb3d.Input((4,), name="x")
    config = json.loads(nb3d.Model(x, nb3d.ops.one_hot(x, 3)).to_json())
    config["config"]["layers"][1]["config"]["num_classes"] = number
    with pytest.raises(ValueError, match=said):
        nb3d.models.model_from_config(config)
