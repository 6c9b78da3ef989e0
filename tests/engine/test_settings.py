"""Global settings: the user's ``keras.json``, read once and never written; and the functions that change them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nb3d

layers = nb3d.layers
ROOT = Path(__file__).parents[2]
SHOW = "import nb3d; print(nb3d.config.image_data_format(), nb3d.layers.Conv3D(1, 1).data_format)"


def import_in(home: Path, temporary: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Imports nb3d in a fresh process whose user lives in `home`, and prints the data format."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("KERAS_", "NB3D_"))}
    environment |= {"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(ROOT)}
    if temporary is not None:
        environment["TMPDIR"] = str(temporary)
    return subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def write_settings(folder: Path, text: str) -> Path:
    file = folder / ".keras" / "keras.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (json.dumps({"image_data_format": "channels_first"}), "channels_first"),
        (json.dumps({"image_data_format": "channels_last", "backend": "tensorflow"}), "channels_last"),
        (json.dumps({"floatx": "float32"}), "channels_last"),
        ("{not json", "channels_last"),
        ("", "channels_last"),
    ],
    ids=["channels_first", "channels_last", "another key", "malformed", "empty"],
)
def test_the_file_of_the_user_decides_and_stays_as_it_is(tmp_path: Path, text: str, expected: str) -> None:
    file = write_settings(tmp_path, text)
    done = import_in(tmp_path)
    assert done.stdout.split() == [expected, expected], done.stderr
    assert file.read_text() == text
    assert [path.name for path in file.parent.iterdir()] == ["keras.json"]


def test_without_a_file_the_default_holds_and_nothing_is_written(tmp_path: Path) -> None:
    done = import_in(tmp_path)
    assert done.stdout.split() == ["channels_last", "channels_last"], done.stderr
    assert not (tmp_path / ".keras").exists()


def test_an_invalid_value_is_refused_at_import(tmp_path: Path) -> None:
    write_settings(tmp_path, json.dumps({"image_data_format": "channels_middle"}))
    done = import_in(tmp_path)
    assert done.returncode != 0
    assert "image_data_format" in done.stderr


def test_the_temporary_directory_serves_when_home_is_not_writable(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    write_settings(temporary, json.dumps({"image_data_format": "channels_first"}))
    done = import_in(tmp_path / "no such home", temporary)
    assert done.stdout.split() == ["channels_first", "channels_first"], done.stderr
    assert not (tmp_path / "no such home").exists()


@pytest.fixture
def settings_as_before() -> Iterator[None]:
    before = nb3d.config.image_data_format(), nb3d.config.floatx()
    yield
    nb3d.config.set_image_data_format(before[0])
    nb3d.config.set_floatx(before[1])


@pytest.mark.usefixtures("settings_as_before")
def test_the_data_format_is_resolved_when_a_layer_is_made() -> None:
    nb3d.config.set_image_data_format("channels_first")
    first = layers.Conv3D(1, 1)
    nb3d.config.set_image_data_format("channels_last")
    assert first.data_format == "channels_first"
    assert layers.Conv3D(1, 1).data_format == "channels_last"
    assert layers.Conv3D(1, 1, data_format="channels_first").data_format == "channels_first"


@pytest.mark.usefixtures("settings_as_before")
def test_floatx_is_the_dtype_of_new_layers_and_inputs() -> None:
    assert nb3d.config.floatx() == "float32"
    nb3d.config.set_floatx("float64")
    assert layers.Dense(1).dtype == "float64"
    assert nb3d.Input((3,)).dtype == "float64"
    assert layers.Dense(1, dtype="float32").dtype == "float32"


@pytest.mark.usefixtures("settings_as_before")
@pytest.mark.parametrize("bad", ["channels_middle", "", None])
def test_an_unknown_data_format_is_refused(bad: str | None) -> None:
    with pytest.raises(ValueError, match="data_format"):
        nb3d.config.set_image_data_format(bad)


@pytest.mark.usefixtures("settings_as_before")
def test_an_unknown_floatx_is_refused() -> None:
    with pytest.raises(ValueError, match="float128x"):
        nb3d.config.set_floatx("float128x")


def test_backend_knows_the_same_settings() -> None:
    assert nb3d.backend.image_data_format() == nb3d.config.image_data_format()
    assert nb3d.backend.floatx() == nb3d.config.floatx()
