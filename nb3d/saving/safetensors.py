"""Safetensors files: nb3d's own plain format, which needs no HDF5, and a hundred lines to be read.

Eight bytes that give the length of a header, the header in JSON, then the values of all weights, one behind the other
without a gap. A weight is named after its layer, ``stem/conv/kernel``; under ``__metadata__`` stand the configuration
of the model (as in ``config.json`` of a ``.keras`` file) and the version of Keras whose words it uses. The reader is
nb3d's own, so that the contract of loading (every size checked before memory is taken) is one text for all formats.

Source: https://huggingface.co/docs/safetensors/index#format
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from nb3d.models.parsing import MAX_BYTES, parse_json
from nb3d.saving import layout
from nb3d.saving.container import Matching, Stored, room_for
from nb3d.saving.errors import ModelFileError
from nb3d.saving.layout import Slot
from nb3d.saving.source import Source

_METADATA, _CONFIG, _VERSION, _SELF_TEST = "__metadata__", "config", "keras_version", "self_test"
_ALIGNMENT = 8
_DTYPES = {
    "BOOL": "bool", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "F16": "<f2", "U32": "<u4", "I32": "<i4",
    "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8",
}  # fmt: skip
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}


class Safetensors:
    """An open safetensors file: a `Container`, and its own `Weights`.

    Args:
        source: The file.

    Raises:
        ModelFileError: If the header is damaged, or the values are not where it says, one behind the other.
    """

    kind = "safetensors file"
    config_key = f"{_METADATA}[{_CONFIG!r}]"

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self._window = source.window()
        header, self._start = self._header(source)
        metadata = header.pop(_METADATA, {})
        if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
            raise ModelFileError("this is no object of strings", key=_METADATA)
        self.config = metadata.get(_CONFIG, "").encode("utf8", "surrogatepass")
        self.version: Any = metadata.get(_VERSION)
        self.self_test = metadata.get(_SELF_TEST, "").encode("utf8", "surrogatepass")
        self._places = {name: _place(name, entry) for name, entry in header.items()}
        end = 0
        for item, (begin, stop) in sorted(self._places.values(), key=lambda place: place[1]):
            if begin != end:
                raise ModelFileError("values overlap, or leave a gap", key=item.path, expected=end, got=begin)
            end = stop
        if self._start + end != source.size:
            raise ModelFileError("the length differs", expected=f"{self._start + end} bytes", got=source.size)

    def _header(self, source: Source) -> tuple[dict[str, Any], int]:
        """The header, and where it ends."""
        start = bytearray(8)
        self._window.readinto(start)
        (length,) = struct.unpack("<Q", start)
        if length > min(MAX_BYTES, source.size - 8):
            expected = f"at most {min(MAX_BYTES, source.size - 8)} bytes"
            raise ModelFileError("the header is longer than the file or any model needs", expected=expected, got=length)
        text = bytearray(length)
        self._window.readinto(text)
        try:
            header = parse_json(bytes(text))
        except ValueError as error:
            raise ModelFileError(f"the header is no JSON: {error}", key="header") from error
        if not isinstance(header, dict):
            raise ModelFileError("the header is no object", key="header", got=f"{header!r:.40}")
        return header, 8 + length

    @contextmanager
    def weights(self, limit: int) -> Iterator[Safetensors]:
        """The file itself: nothing in it is compressed."""
        yield self

    def names(self) -> list[str]:
        """The names of all weights in the file."""
        return list(self._places)

    def slots(self, model: Any, matching: Matching) -> list[Slot]:
        """The places of a model's weights; see `nb3d.saving.container.Weights`."""
        places = layout.named_slots(model)
        if matching.by_name or matching.skip_mismatch:
            raise ModelFileError("by_name and skip_mismatch are for files of Keras", expected=False, got=True)
        layout.check_names(places, list(self._places))
        return places

    def stored(self, path: str) -> Stored:
        """The array of a name."""
        if path not in self._places:
            raise ModelFileError("it is missing from the file", key=path)
        return self._places[path][0]

    def read(self, items: Sequence[Stored]) -> list[np.ndarray]:
        """The values of arrays, in one pass over the file."""
        arrays = room_for(items)
        starts = [self._start + self._places[item.path][1][0] for item in items]
        self._window.fill(list(zip(starts, arrays, strict=True)))
        return arrays


def _place(name: str, entry: Any) -> tuple[Stored, tuple[int, int]]:
    """An array, and where its values begin and end behind the header."""
    fields: dict[str, Any] = entry if isinstance(entry, dict) else {}
    if set(fields) != {"dtype", "shape", "data_offsets"}:
        raise ModelFileError("this describes no array", key=name, expected="dtype, shape, data_offsets")
    dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise ModelFileError("the dtype is not read", key=name, expected=list(_DTYPES), got=f"{dtype!r:.40}")
    if not _counts(shape) or not _counts(offsets):
        raise ModelFileError("shape or offsets are no list of whole numbers", key=name, got=f"{fields!r:.200}")
    item = Stored(name, tuple(shape), np.dtype(_DTYPES[dtype]))
    size = math.prod(shape) * item.dtype.itemsize
    if len(offsets) != 2 or offsets[1] - offsets[0] != size:
        raise ModelFileError("the values are not all there", key=name, expected=f"{size} bytes", got=offsets)
    return item, (offsets[0], offsets[1])


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(number) is int and number >= 0 for number in value)


def write(stream: BinaryIO, slots: Sequence[Slot], metadata: dict[str, str]) -> None:
    """Writes a file.

    Args:
        stream: Where to.
        slots: The weights and their names.
        metadata: Texts that the header keeps.

    Raises:
        ModelFileError: If a weight has a dtype that the format has no name for.
    """
    header: dict[str, Any] = {_METADATA: metadata}
    end = 0
    for slot in slots:
        dtype = np.dtype(slot.variable.dtype)
        if dtype not in _NAMES:
            raise ModelFileError("the dtype cannot be stored", layer=slot.layer, key=slot.path, got=dtype.name)
        begin, end = end, end + slot.variable.nbytes
        header[slot.path] = {"dtype": _NAMES[dtype], "shape": list(slot.variable.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    stream.write(struct.pack("<Q", len(text)))
    stream.write(text)
    for slot in slots:
        values = np.ascontiguousarray(slot.variable.value)
        stream.write(values.astype(values.dtype.newbyteorder("<"), copy=False).data)


def metadata_of(config: str, version: str, self_test: str = "") -> dict[str, str]:
    """What the header keeps of a whole model."""
    kept = {"format": "nb3d", _CONFIG: config, _VERSION: version, _SELF_TEST: self_test}
    return {key: value for key, value in kept.items() if value}
