"""Zip archives that are not what they seem: members that hide, double, grow, or lie about themselves."""

import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nb3d
from tests.saving.craft import archive, members, refusal, write

WEIGHTS = "model.weights.h5"


def damaged(folder: Path, change: Callable[[bytearray], Any]) -> Path:
    """A sound file with some bytes changed."""
    path = archive(folder)
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    return path


def directory_entry(content: bytearray, name: str) -> int:
    """Where the entry of a member in the central directory begins."""
    return content.rfind(name.encode()) - 46


@pytest.mark.parametrize(
    "name",
    ["evil.py", "../../etc/passwd", "/etc/passwd", "assets/words.txt", "config.json/", "weights.npz", "CONFIG.JSON"],
)
def test_a_member_that_is_not_expected_is_refused(name: str, tmp_path: Path) -> None:
    message = refusal(archive(tmp_path, lambda content: content.update({name: b"x"})))
    assert repr(name) in message
    assert "expected ['metadata.json', 'config.json', 'model.weights.h5', 'self_test.json']" in message
    assert list(tmp_path.iterdir()) == [tmp_path / "small.keras"]


@pytest.mark.parametrize("name", ["config.json", WEIGHTS, "metadata.json"])
def test_a_member_that_comes_twice_is_refused(name: str, tmp_path: Path) -> None:
    path = archive(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile finds it strange too
        with zipfile.ZipFile(path, "a") as file:
            file.writestr(name, b"{}")
    assert f"{name}: the member comes twice" in refusal(path)


@pytest.mark.parametrize("name", ["config.json", WEIGHTS])
def test_a_member_that_is_missing_is_named(name: str, tmp_path: Path) -> None:
    message = refusal(archive(tmp_path, lambda content: content.pop(name)))
    assert "missing" in message
    assert name in message


def test_metadata_may_be_missing_but_not_nonsense(tmp_path: Path) -> None:
    nb3d.models.load_model(archive(tmp_path, lambda content: content.pop("metadata.json")))
    assert "metadata.json" in refusal(archive(tmp_path, lambda content: content.update({"metadata.json": b"[1]"})))
    assert "metadata.json" in refusal(archive(tmp_path, lambda content: content.update({"metadata.json": b"{"})))


@pytest.mark.parametrize("name", ["config.json", WEIGHTS])
def test_an_encrypted_member_is_refused(name: str, tmp_path: Path) -> None:
    def encrypt(content: bytearray) -> None:
        content[directory_entry(content, name) + 8] |= 1

    assert f"{name}: the member is encrypted" in refusal(damaged(tmp_path, encrypt))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_unusual_compression_is_refused(method: int, tmp_path: Path) -> None:
    path = archive(tmp_path)
    assert f"compression method {method}" in refusal(write(path, members(path), method))


def test_a_deflated_archive_is_read(tmp_path: Path) -> None:
    path = archive(tmp_path)
    weights = nb3d.models.load_model(path).get_weights()
    deflated = nb3d.models.load_model(write(path, members(path), zipfile.ZIP_DEFLATED)).get_weights()
    assert [array.tolist() for array in deflated] == [array.tolist() for array in weights]


def test_weights_that_would_inflate_far_beyond_what_the_model_needs_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path)
    content = members(path)
    content[WEIGHTS] += bytes(100 * 2**20)
    message = refusal(write(path, content, zipfile.ZIP_DEFLATED))
    assert path.stat().st_size < 2**20
    assert f"{WEIGHTS}: the member is too large" in message


def test_a_configuration_that_would_inflate_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path)
    content = members(path)
    content["config.json"] = b" " * (65 * 2**20)
    assert "config.json: the member is too large" in refusal(write(path, content, zipfile.ZIP_DEFLATED))


def test_a_member_that_inflates_to_another_length_than_it_says_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path)
    write(path, members(path), zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    struct.pack_into("<L", content, directory_entry(content, "config.json") + 24, 100)
    path.write_bytes(content)
    assert "config.json" in refusal(path)


def test_a_directory_of_a_million_members_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "many.keras"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(2000):
            file.writestr(f"m{number}", b"")
    assert "too many members" in refusal(path)


@pytest.mark.parametrize("tail", [b"x", b"PK\x05\x06" + bytes(18), bytes(70_000)])
def test_bytes_behind_the_archive_are_refused(tail: bytes, tmp_path: Path) -> None:
    path = archive(tmp_path)
    path.write_bytes(path.read_bytes() + tail)
    refusal(path)


def test_a_damaged_weight_is_found_by_its_checksum(tmp_path: Path) -> None:
    def flip(content: bytearray) -> None:
        start = content.find(b"\x89HDF", 10)
        content[start + 3000] ^= 0x40

    assert f"{WEIGHTS}: the content is damaged: its checksum" in refusal(damaged(tmp_path, flip))


def test_a_member_elsewhere_than_the_directory_says_is_refused(tmp_path: Path) -> None:
    def move(content: bytearray) -> None:
        struct.pack_into("<L", content, directory_entry(content, WEIGHTS) + 42, 0)

    refusal(damaged(tmp_path, move))


def test_a_stored_member_of_two_lengths_is_refused(tmp_path: Path) -> None:
    def grow(content: bytearray) -> None:
        entry = directory_entry(content, WEIGHTS)
        struct.pack_into("<L", content, entry + 24, 2**31)
        struct.pack_into("<L", content, entry + 16, zlib.crc32(b""))

    refusal(damaged(tmp_path, grow))


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999])
def test_a_truncated_archive_is_refused(share: float, tmp_path: Path) -> None:
    path = archive(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refusal(path)


def test_the_sound_archive_is_loaded(tmp_path: Path) -> None:
    metadata = json.dumps({"keras_version": "3.0.5"}).encode()
    path = archive(tmp_path, lambda content: content.update({"metadata.json": metadata}))
    assert nb3d.models.load_model(path).name == "small"
