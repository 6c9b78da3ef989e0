"""The one place that opens HDF5 objects, and refuses whatever leads out of the file or is larger than it says.

A path is followed one component at a time, over hard links only. A dataset must hold its values itself, in a layout and
through filters that HDF5 has built in.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from nb3d.saving.attributes import MAX_NAMES, MAX_TEXT, Attribute, Attributes
from nb3d.saving.container import Stored, room_for
from nb3d.saving.errors import ModelFileError
from nb3d.saving.source import Window

MAX_OBJECTS = 200_000  # in one file
MAX_DEPTH = 64
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
_SMALL = 2**20  # bytes that a chunk may always take


def require_h5py() -> Any:
    """The package h5py.

    Raises:
        ImportError: If it is not installed; the message says how to install it.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError('Model files need h5py: pip install "nb3d[hdf5]".') from error
    return h5py


@contextmanager
def reading(stream: Window, name: str) -> Iterator[Hdf5]:
    """The HDF5 file in `stream`, closed behind the block.

    Args:
        stream: The open file.
        name: Its name, for messages.

    Raises:
        ModelFileError: If it is none, or damaged; also when that shows only later in the block.
        ImportError: If h5py is missing.
    """
    h5py = require_h5py()
    try:
        with h5py.File(stream, "r") as root:
            yield Hdf5(h5py, root.id, stream, name)
    except ModelFileError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:  # what h5py raises over damaged files
        raise ModelFileError(f"the HDF5 content is truncated or damaged: {error}") from error


class Hdf5:
    """An open HDF5 file; `reading` makes one.

    It works on identifiers, as the classes that h5py makes of them cost a multiple of the time.
    """

    def __init__(self, h5py: Any, root: Any, stream: Window, name: str) -> None:
        self._h5py = h5py
        self._root = root
        self._stream = stream
        self._attributes = Attributes(stream)
        self._known: dict[str, Any] = {}  # path -> object
        self._known_datasets: dict[str, Stored] = {}
        self._known_attributes: dict[str, dict[str, Attribute]] = {}
        self.name = name

    # -- groups ----------------------------------------------------------------------------------------------------

    def has(self, path: str) -> bool:
        """Whether there is a group or dataset at `path`."""
        return self._find(path) is not None

    def datasets(self) -> list[str]:
        """The paths of all datasets in the file."""
        found: list[str] = []
        waiting = [(name, 1) for name in self._children("")]
        count = 0
        while waiting:
            place, depth = waiting.pop()
            count += 1
            if count > MAX_OBJECTS or depth > MAX_DEPTH:
                raise ModelFileError(
                    "there are too many objects, or a group that holds itself",
                    key=place[:200],
                    expected=f"at most {MAX_OBJECTS}, at most {MAX_DEPTH} deep",
                )
            if isinstance(self._get(place), self._h5py.h5g.GroupID):
                waiting.extend((f"{place}/{name}", depth + 1) for name in self._children(place))
            else:
                found.append(place)
        return sorted(found)

    def _children(self, path: str) -> list[str]:
        group = self._get(path)
        if not isinstance(group, self._h5py.h5g.GroupID):
            raise ModelFileError("this is no group", key=path)
        count = group.get_num_objs()
        if count > MAX_OBJECTS:
            raise ModelFileError("the group has too many members", key=path, expected=MAX_OBJECTS, got=count)
        names: list[bytes] = []
        group.links.iterate(names.append)
        return [name.decode("utf8", "surrogateescape") for name in names]

    def _get(self, path: str) -> Any:
        found = self._find(path)
        if found is None:
            raise ModelFileError("it is missing from the file", key=path)
        return found

    def _find(self, path: str) -> Any:
        """The object at `path`, ``None`` if there is none; each on the way is looked up once."""
        current, place = self._root, ""
        for part in path.split("/") if path else ():
            place = f"{place}/{part}" if place else part
            if place not in self._known:
                self._known[place] = self._step(current, part, place)
            current = self._known[place]
        return current

    def _step(self, group: Any, part: str, place: str) -> Any:
        """What a group holds under one name."""
        if part in ("", ".", ".."):
            raise ModelFileError("this is no path within the file", key=repr(place))
        name = part.encode("utf8", "surrogateescape")
        if not isinstance(group, self._h5py.h5g.GroupID) or b"\0" in name or not group.links.exists(name):
            return None
        kind = group.links.get_info(name).type
        if kind != self._h5py.h5l.TYPE_HARD:
            raise ModelFileError("links are not followed", key=place, expected="a hard link", got=f"kind {kind}")
        return self._h5py.h5o.open(group, name)

    # -- attributes ------------------------------------------------------------------------------------------------

    def text(self, path: str, name: str) -> str | None:
        """A string attribute of a group, ``None`` if it is absent."""
        values = self._texts(path, name)
        if values is None:
            return None
        if len(values) != 1:
            raise ModelFileError("this attribute is no string", key=f"{path}.attrs[{name!r}]")
        return values[0]

    def names(self, path: str, name: str) -> list[str] | None:
        """A list of names in an attribute, ``None`` if it is absent; long ones are split: ``name0``, ``name1``, ..."""
        if not self.has(path):
            return None
        whole = self._texts(path, name)
        if whole is not None:
            return whole
        names: list[str] = []
        for number in itertools.count():
            part = self._texts(path, f"{name}{number}")
            if part is None:
                return names if number else None
            names.extend(part)
            if len(names) > MAX_NAMES:
                break
        raise ModelFileError("the list is too long", key=f"{path}.attrs[{name!r}]", expected=MAX_NAMES)

    def _texts(self, path: str, name: str) -> list[str] | None:
        attribute = self._attributes_of(path).get(name)
        if attribute is None:
            return None
        key = f"{path}.attrs[{name!r}]"
        if attribute.count == 0:  # an empty list is stored as one of numbers
            return []
        if not attribute.is_text:
            raise ModelFileError("this attribute holds no text", key=key, expected="strings")
        return self._attributes.texts(attribute, key)

    def _attributes_of(self, path: str) -> dict[str, Attribute]:
        if path not in self._known_attributes:
            address = self._h5py.h5o.get_info(self._get(path)).addr
            self._known_attributes[path] = self._attributes.of(address)
        return self._known_attributes[path]

    # -- datasets --------------------------------------------------------------------------------------------------

    def stored(self, path: str) -> Stored:
        """The dataset at `path`, checked: nothing is read yet.

        Raises:
            ModelFileError: If there is none, or its values lie elsewhere, are not all there, or need a foreign filter.
        """
        if path not in self._known_datasets:
            self._known_datasets[path] = self._checked(path)
        return self._known_datasets[path]

    def _checked(self, path: str) -> Stored:
        h5py, dataset = self._h5py, self._dataset(path)
        if dataset.get_space().get_simple_extent_type() == h5py.h5s.NULL:
            raise ModelFileError("the dataset is empty", key=path)
        shape, dtype, made = tuple(dataset.shape), dataset.dtype, dataset.get_create_plist()
        if made.get_layout() == h5py.h5d.VIRTUAL or made.get_external_count():
            raise ModelFileError("the values lie in another dataset or file", key=path)
        needed = math.prod(shape) * dtype.itemsize
        numbers = [made.get_filter(index)[0] for index in range(made.get_nfilters())]
        foreign = [number for number in numbers if number not in _FILTERS]
        if foreign:
            raise ModelFileError("the filter is foreign", key=path, expected=list(_FILTERS.values()), got=foreign)
        chunk = made.get_chunk() if made.get_layout() == h5py.h5d.CHUNKED else ()
        if math.prod(chunk) * dtype.itemsize > max(_SMALL, 4 * needed):
            raise ModelFileError("the chunks are larger than the dataset", key=path, expected=shape, got=chunk)
        there = dataset.get_storage_size()
        if there < (1 if numbers and needed else needed):
            raise ModelFileError("the values are not all there", key=path, expected=f"{needed} bytes", got=there)
        if h5py.h5a.get_num_attrs(dataset) and "dtype" in self._attributes_of(path):
            raise ModelFileError("the dataset holds a type of Keras' own, such as bfloat16", key=path)
        return Stored(path, shape, dtype)

    def read(self, items: Sequence[Stored]) -> list[np.ndarray]:
        """The values of datasets, those that lie in one piece in one pass over the file."""
        arrays, places, everything = room_for(items), [], self._h5py.h5s.ALL
        for item, array in zip(items, arrays, strict=True):
            dataset = self._dataset(item.path)
            offset = dataset.get_offset()
            if offset is not None:
                places.append((offset, array))
            elif array.size:  # in chunks, compressed perhaps, or within the header of the dataset
                dataset.read(everything, everything, array)
        self._stream.fill(places)
        return arrays

    def raw(self, path: str) -> bytes:
        """The bytes that a dataset consists of; none if it is absent."""
        if not self.has(path):
            return b""
        item = self.stored(path)
        if item.dtype != np.uint8 or len(item.shape) != 1 or item.shape[0] > MAX_TEXT:
            expected = f"at most {MAX_TEXT} bytes"
            raise ModelFileError("this is no text", key=path, expected=expected, got=f"{item.dtype} {item.shape}")
        return self.read([item])[0].tobytes()

    def _dataset(self, path: str) -> Any:
        dataset = self._get(path)
        if not isinstance(dataset, self._h5py.h5d.DatasetID):
            raise ModelFileError("this is no dataset", key=path)
        return dataset
