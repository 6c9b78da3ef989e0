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
from nb3d.saving.container import Stored
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
            yield Hdf5(h5py, root, stream, name)
    except ModelFileError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:  # what h5py raises over damaged files
        raise ModelFileError(f"the HDF5 content is truncated or damaged: {error}") from error


class Hdf5:
    """An open HDF5 file; `reading` makes one."""

    def __init__(self, h5py: Any, root: Any, stream: Window, name: str) -> None:
        self._h5py = h5py
        self._root = root
        self._stream = stream
        self._attributes = Attributes(stream)
        self._known: dict[str, Any] = {}  # path -> object
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
            if isinstance(self._get(place), self._h5py.Group):
                waiting.extend((f"{place}/{name}", depth + 1) for name in self._children(place))
            else:
                found.append(place)
        return sorted(found)

    def _children(self, path: str) -> list[str]:
        group = self._get(path)
        if not isinstance(group, self._h5py.Group):
            raise ModelFileError("this is no group", key=path)
        if len(group) > MAX_OBJECTS:
            raise ModelFileError("the group has too many members", key=path, expected=MAX_OBJECTS, got=len(group))
        return list(group)

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
        link = group.get(part, getlink=True) if isinstance(group, self._h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, self._h5py.HardLink):
            raise ModelFileError(
                "links are not followed", key=place, expected="a hard link", got=f"a {type(link).__name__}"
            )
        return group[part]

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
            address = self._h5py.h5o.get_info(self._get(path).id).addr
            self._known_attributes[path] = self._attributes.of(address)
        return self._known_attributes[path]

    # -- datasets --------------------------------------------------------------------------------------------------

    def stored(self, path: str) -> Stored:
        """The dataset at `path`, checked: nothing is read yet.

        Raises:
            ModelFileError: If there is none, or its values lie elsewhere, are not all there, or need a foreign filter.
        """
        dataset = self._dataset(path)
        shape, dtype = tuple(dataset.shape or ()), dataset.dtype
        if dataset.shape is None:
            raise ModelFileError("the dataset is empty", key=path)
        if dataset.is_virtual or dataset.external:
            raise ModelFileError("the values lie in another dataset or file", key=path)
        needed = math.prod(shape) * dtype.itemsize
        filters = dataset.id.get_create_plist()
        numbers = [filters.get_filter(index)[0] for index in range(filters.get_nfilters())]
        foreign = [number for number in numbers if number not in _FILTERS]
        if foreign:
            raise ModelFileError("the filter is foreign", key=path, expected=list(_FILTERS.values()), got=foreign)
        if dataset.chunks and math.prod(dataset.chunks) * dtype.itemsize > max(_SMALL, 4 * needed):
            raise ModelFileError("the chunks are larger than the dataset", key=path, expected=shape, got=dataset.chunks)
        if dataset.id.get_storage_size() < (1 if numbers and needed else needed):
            raise ModelFileError(
                "the values are not all there", key=path, expected=f"{needed} bytes", got=dataset.id.get_storage_size()
            )
        if "dtype" in self._attributes_of(path):
            raise ModelFileError("the dataset holds a type of Keras' own, such as bfloat16", key=path)
        return Stored(path, shape, dtype)

    def read(self, items: Sequence[Stored]) -> list[np.ndarray]:
        """The values of datasets, those that lie in one piece in one pass over the file."""
        arrays, places = [], []
        for item in items:
            dataset = self._dataset(item.path)
            offset = dataset.id.get_offset()
            if offset is None:  # in chunks, compressed perhaps, or within the header of the dataset
                arrays.append(np.asarray(dataset[...]))
            else:
                arrays.append(np.empty(item.shape, item.dtype))
                places.append((offset, arrays[-1]))
        self._stream.fill(places)
        return arrays

    def bytes(self, path: str) -> bytes:
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
        if not isinstance(dataset, self._h5py.Dataset):
            raise ModelFileError("this is no dataset", key=path)
        return dataset
