"""A layer that nb3d does not have is refused with the reason; a user's own is shown as it has to be written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d.layers.refused import REFUSED
from nb3d.layers.registry import LAYERS
from nb3d.layers.unknown import skeleton

layers = nb3d.layers
GATE = {
    "module": "project.blocks",
    "class_name": "Gate",
    "registered_name": "project>Gate",
    "config": {"name": "gate_3", "trainable": True, "dtype": "float32", "filters": 8, "use_bias": False},
    "name": "gate_3",
    "inbound_nodes": [[["x", 0, 0, {}]]],
}


def model_with(entry: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a model whose only layer is `entry`."""
    start = {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_shape": [None, 4]}}
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [[entry["name"], 0, 0]]}
    config = {"name": "model", "layers": [{**start, "inbound_nodes": []}, entry], **ends}
    return {"class_name": "Functional", "config": config}


@pytest.mark.parametrize(
    "name", ["LSTM", "ConvLSTM3D", "Bidirectional", "RandomFlip", "TextVectorization", "TFSMLayer"]
)
def test_a_refused_layer_in_a_file_is_named_with_the_reason(name: str) -> None:
    entry = {"class_name": name, "name": "a", "config": {"name": "a"}, "inbound_nodes": [[["x", 0, 0, {}]]]}
    with pytest.raises(ValueError, match=f"layer 'a': nb3d has no {name}, for .*out of scope|code of another"):
        nb3d.models.model_from_config(model_with(entry))


def test_a_refused_layer_in_python_is_named_with_the_reason() -> None:
    with pytest.raises(AttributeError, match="recurrent layers are out of scope"):
        layers.LSTM
    with pytest.raises(AttributeError, match=r"has no attribute 'NoSuchLayer'$"):
        layers.NoSuchLayer
    assert not hasattr(layers, "GRU")


def test_a_refused_layer_may_still_be_a_custom_object() -> None:
    class LSTM(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * 2.0

    layer = layers.deserialize({"class_name": "LSTM", "config": {"name": "own"}}, {"LSTM": LSTM})
    assert layer(np.ones(2, "float32")).tolist() == [2.0, 2.0]


def test_no_layer_is_both_there_and_refused() -> None:
    assert not REFUSED.keys() & set(LAYERS.names())


def test_a_missing_custom_layer_is_reported_with_its_layer_and_a_skeleton() -> None:
    with pytest.raises(ValueError, match="layer 'gate_3': Unknown layer: 'Gate'") as refusal:
        nb3d.models.model_from_config(model_with(GATE))
    text = str(refusal.value)
    assert "custom_objects={'Gate': ...}" in text
    assert '@nb3d.saving.register_keras_serializable("project")' in text
    assert "def __init__(self, filters, use_bias, **kwargs):" in text


def test_the_skeleton_is_a_layer_that_loads_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from nb3d.engine import registry

    monkeypatch.setattr(registry, "_registered", {})
    code = skeleton(GATE).replace("...  # its mathematics", "return inputs * self.filters  # its mathematics")
    exec(code, {"nb3d": nb3d})
    model = nb3d.models.model_from_config(model_with(GATE))
    assert model.predict(np.ones((1, 4), "float32"), verbose=0).tolist() == [[8.0] * 4]
    assert model.layers[1].get_config()["use_bias"] is False


@pytest.mark.parametrize(
    ("class_name", "argument"),
    [
        ("Evil(object):\n    import os", "x"),
        ("class", "x"),
        ("Gate", "x=__import__('os')"),
        ("Gate", "def"),
        ("Gäte", "ä"),
    ],
)
def test_a_skeleton_holds_no_code_of_a_file(class_name: str, argument: str) -> None:
    code = skeleton({"class_name": class_name, "config": {argument: 1}})
    compile(code, "skeleton", "exec")
    assert "import" not in code
    assert "ä" not in code
    assert "nb3d.layers.Layer" in code


def test_an_operation_that_nb3d_lacks_is_called_an_operation() -> None:
    entry = {"module": "keras.src.ops.linalg", "class_name": "SVD", "name": "svd", "config": {"name": "svd"}}
    with pytest.raises(ValueError, match="layer 'svd': nb3d has no operation 'SVD'"):
        nb3d.models.model_from_config(model_with({**entry, "inbound_nodes": [[["x", 0, 0, {}]]]}))


def test_a_missing_activation_is_reported_with_the_layer_that_needs_it() -> None:
    config = layers.Dense(2, name="head").get_config() | {"activation": "my_act"}
    with pytest.raises(ValueError, match=r"Layer 'head' \(Dense\): Unknown activation: 'my_act'.*custom_objects"):
        layers.deserialize({"class_name": "Dense", "config": config})


def test_verifying_a_file_says_why_a_layer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nb3d.engine import registry

    monkeypatch.setattr(registry, "_registered", {})

    @nb3d.saving.register_keras_serializable("project")
    class GRU(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    x = nb3d.Input((4,))
    nb3d.Model(x, GRU(name="steps")(x)).save(tmp_path / "model.keras")
    monkeypatch.setattr(registry, "_registered", {})
    report = nb3d.saving.verify_file(tmp_path / "model.keras")
    assert any("'GRU', of 'steps': recurrent layers are out of scope" in problem for problem in report.problems)
