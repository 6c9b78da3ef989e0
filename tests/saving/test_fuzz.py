"""Random damage to configurations and containers: a file is loaded or refused, and nothing else ever happens.

The number of variants is small enough for every run of the tests; ``NB3D_FUZZ=100`` takes a hundred times as many.
"""

import copy
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nb3d
from nb3d.saving import ModelFileError
from tests.saving.craft import members, small_model, write
from tests.saving.networks import NETWORKS

ROOT = Path(__file__).resolve().parents[2]
FACTOR = max(1, int(os.environ.get("NB3D_FUZZ", "1")))

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.sampled_from([2**31, 2**32 - 1, 2**53, 2**63 - 1, -(2**63) + 1]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "same", "relu", "conv", "Dense", "float16", "channels_first", "\x00", "../x", "__class__"]),
    st.text(max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a configuration."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def replaced(config: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A configuration with another value at one place."""
    result = copy.deepcopy(config)
    holder = result
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return result


SOUND = [json.loads(make(nb3d).to_json()) for _, make in sorted(NETWORKS.items())]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fuzz") / "small.keras"
    small_model().save(path)
    return path


@settings(max_examples=300 * FACTOR, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_configuration_with_any_value_anywhere_is_built_or_refused(data: st.DataObject) -> None:
    config = data.draw(st.sampled_from(SOUND))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(config))))
        config = replaced(config, path, data.draw(VALUES))
    version = data.draw(st.sampled_from(["1.2.2", "2.3.1", "3.15.1"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(ValueError):
            nb3d.models.model_from_config(config, keras_version=version)


@settings(max_examples=60 * FACTOR, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_archive_of_such_a_configuration_is_loaded_or_refused_in_its_name(data: st.DataObject, sound: Path) -> None:
    content = members(sound)
    config = json.loads(content["config.json"])
    path = data.draw(st.sampled_from(list(places(config))))
    content["config.json"] = json.dumps(replaced(config, path, data.draw(VALUES))).encode()
    damaged = write(sound.with_name("damaged.keras"), content)
    told = f"{damaged}: "
    try:
        nb3d.models.load_model(damaged)
    except ModelFileError as error:
        told = str(error)
    assert told.startswith(f"{damaged}: ")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory")
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("ending", ["keras", "h5", "safetensors"])
def test_damaged_bytes_are_refused_in_little_memory_and_time(ending: str, seed: int, tmp_path: Path) -> None:
    path = tmp_path / f"small.{ending}"
    small_model().save(path, self_test=True)
    command = [sys.executable, str(Path(__file__).with_name("fuzz_worker.py")), str(path), str(seed), str(150 * FACTOR)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stderr == ""
    assert int(ran.stdout) > 0
