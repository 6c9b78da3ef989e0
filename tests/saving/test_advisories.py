"""The published advisories on loading Keras models, each as a crafted file; the cause that it has stands above.

Every file is refused, and what it would have done (touch a file, run a function, read another one) has not been done.
"""

import base64
import json
import marshal
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nb3d
from tests.saving.craft import archive, layer_of, members, refusal, small_model, with_config, with_weights

CODE = base64.b64encode(marshal.dumps((lambda x: Path("touched").touch()).__code__)).decode()
SECRET = "a secret of the host"


class Touch:
    """Unpickled, it touches a file."""

    def __reduce__(self) -> Any:
        return open, ("touched", "w")


PICKLE = base64.b64encode(pickle.dumps(Touch())).decode()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own with a file that must not be read and none that must not be made."""
    monkeypatch.chdir(tmp_path)
    Path("secret").write_text(SECRET)


def refused(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The message of a file that is refused whatever the switches are; nothing was done and nothing told."""
    for options in ({}, {"safe_mode": False}, {"compile": True, "safe_mode": False}):
        message = refusal(path, **options)
    assert not Path("touched").exists()
    assert SECRET not in message + "".join(capsys.readouterr())
    return message


def layer(class_name: str, module: str = "keras.layers", **config: Any) -> Callable[[Any], None]:
    """A change that makes another layer of the last one."""
    entry = {"class_name": class_name, "module": module, "registered_name": class_name}
    return lambda whole: layer_of(whole, "head").update(entry, config={"name": "head", **config})


def argument(**config: Any) -> Callable[[Any], None]:
    """A change to the arguments of the last layer."""
    return lambda whole: layer_of(whole, "head")["config"].update(config)


def object_of(module: str, class_name: str, **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


LAMBDA = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}
COMMAND = {"command": "touch touched"}

CONFIGURATIONS: dict[str, Callable[[Any], None]] = {
    # code that stands in the file
    "CVE-2024-3660, a marshalled function": layer("Lambda", function=[CODE, None, None], function_type="lambda"),
    "CVE-2024-3660, as Keras 3 writes it": layer("Lambda", function=LAMBDA),
    "CVE-2025-49655, a pickled module": layer("TorchModuleWrapper", module=PICKLE),
    "CVE-2026-12481, a lambda where none is looked for": argument(kernel_constraint=LAMBDA),
    # names that become objects of Python
    "CVE-2025-1550, a function of the system": argument(activation=object_of("os", "system", **COMMAND)),
    "CVE-2025-1550, as a layer": layer("system", module="os", **COMMAND),
    "CVE-2025-8747, a function of Keras": argument(
        activation=object_of("keras.utils", "get_file", fname="touched", origin="file:///etc/passwd")
    ),
    "CVE-2025-9906, the switch itself": argument(
        activation=object_of("keras.config", "enable_unsafe_deserialization")
    ),
    "CVE-2025-9906, as a function": argument(
        activation={"module": "builtins", "class_name": "function", "config": "enable_unsafe_deserialization"}
    ),
    # paths that are opened
    "CVE-2025-12058, a vocabulary": layer("StringLookup", vocabulary="secret"),
    "CVE-2025-12058, an address": layer("StringLookup", vocabulary="http://127.0.0.1:9/words"),
    "CVE-2026-1462, a model of TensorFlow": layer("TFSMLayer", filepath="secret", call_endpoint="serve"),
}


@pytest.mark.parametrize("change", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
@pytest.mark.parametrize("ending", ["keras", "h5", "safetensors"])
def test_a_configuration_that_wants_more_is_refused_in_every_format(
    ending: str, change: Callable[[Any], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"small.{ending}"
    if ending == "keras":
        with_config(tmp_path, change)
    else:
        small_model().save(path)
        if ending == "h5":  # CVE-2025-9905: what was mended for one format was open in the other
            with h5py.File(path, "r+") as file:
                config = json.loads(file.attrs["model_config"])
                change(config)
                file.attrs["model_config"] = json.dumps(config)
        else:
            content = path.read_bytes()
            size = int.from_bytes(content[:8], "little")
            header = json.loads(content[8 : 8 + size])
            config = json.loads(header["__metadata__"]["config"])
            change(config)
            header["__metadata__"]["config"] = json.dumps(config)
            text = json.dumps(header).encode()
            path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])
    refused(path, capsys)


def test_cve_2026_12481_code_in_how_the_model_was_trained_is_not_looked_at(tmp_path: Path) -> None:
    def change(config: Any) -> None:
        config["compile_config"] = {"loss": {"module": "os", "class_name": "system", "config": COMMAND}}

    nb3d.models.load_model(with_config(tmp_path, change), compile=True, safe_mode=False)
    assert not Path("touched").exists()


# ---- paths in the weights


def link(file: Any) -> None:
    del file["layers/dense"]
    file["layers/dense"] = h5py.ExternalLink("secret", "/")


def storage(file: Any) -> None:
    del file["layers/dense/vars/1"]
    file.create_dataset("layers/dense/vars/1", (3,), "float32", external=[("secret", 0, 12)])


def view(file: Any) -> None:
    del file["layers/dense/vars/1"]
    layout = h5py.VirtualLayout((3,), "float32")
    layout[...] = h5py.VirtualSource("secret", "x", (3,))
    file.create_virtual_dataset("layers/dense/vars/1", layout)


@pytest.mark.parametrize("change", [link, storage, view])
def test_cve_2026_1669_values_in_another_file_are_not_read(
    change: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "layers/dense" in refused(with_weights(tmp_path, change), capsys)


@pytest.mark.parametrize("name", ["../touched", "/touched", "assets/touched", "assets/../touched"])
def test_cve_2026_12479_a_member_that_would_be_unpacked_elsewhere_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repr(name) in refused(archive(tmp_path, lambda content: content.update({name: b"x"})), capsys)


# ---- sizes that are believed


def test_cve_2026_0897_a_shape_without_values_takes_no_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def bomb(file: Any) -> None:
        del file["layers/dense/vars/1"]
        file.create_dataset("layers/dense/vars/1", (2**50,), "float32", chunks=(2**20,), compression="gzip")

    assert "layers/dense/vars/1" in refused(with_weights(tmp_path, bomb), capsys)


def test_cve_2026_0897_nor_does_one_that_the_configuration_asks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def both(file: Any) -> None:
        for place, shape in (("0", (2, 10**10)), ("1", (10**10,))):
            del file[f"layers/dense/vars/{place}"]
            file.create_dataset(f"layers/dense/vars/{place}", shape, "float32", chunks=True, compression="gzip")

    path = with_weights(tmp_path, both)
    content = members(path)
    content["config.json"] = content["config.json"].replace(b'"units": 3', b'"units": 10000000000')
    with zipfile.ZipFile(path, "w") as file:
        for name, data in content.items():
            file.writestr(name, data)
    assert "too much memory" in refused(path, capsys)


def test_a_zip_bomb_is_not_inflated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = members(archive(tmp_path))
    with zipfile.ZipFile(tmp_path / "small.keras", "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in content.items():
            file.writestr(name, data + bytes(100 * 2**20) if name == "model.weights.h5" else data)
    assert "too large" in refused(tmp_path / "small.keras", capsys)


def test_an_npz_archive_is_no_container_of_weights(tmp_path: Path) -> None:
    np.savez(tmp_path / "model.weights.npz", kernel=np.zeros(3))
    assert "ending of the name" in refusal(tmp_path / "model.weights.npz")
