"""What the formats of model files have in common: a configuration, weights under names, where they came from."""

from __future__ import annotations

import itertools
import math
import mmap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nb3d.saving.layout import Slot

_ALIGNMENT = 64  # bytes
_LARGE = 2**20
SELF_TEST = "self_test.json"  # in an archive; other formats keep it under names of their own


@dataclass(frozen=True)
class Stored:
    """An array in a file that passed all checks but that of its values.

    Attributes:
        path: Where it lies.
        shape: Its sizes.
        dtype: Its type.
    """

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def room_for(items: Sequence[Stored]) -> list[np.ndarray]:
    """Memory for arrays, in one block."""
    sizes = [math.prod(item.shape) * item.dtype.itemsize for item in items]
    starts = list(itertools.accumulate((-(-size // _ALIGNMENT) * _ALIGNMENT for size in sizes), initial=0))
    block = _block(starts[-1])
    return [
        block[start : start + size].view(item.dtype).reshape(item.shape)
        for item, start, size in zip(items, starts, sizes, strict=False)
    ]


def _block(size: int) -> np.ndarray:
    """Memory that is about to be written: where the system can make all pages at once, that takes half the time."""
    if size < _LARGE or not hasattr(mmap, "MAP_POPULATE"):
        return np.empty(size, np.uint8)
    return np.frombuffer(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE), np.uint8)


@dataclass(frozen=True)
class Matching:
    """How weights of a file find those of a model.

    Attributes:
        own: Whether the model was made from the file, so that all its layers have the names that the file has.
        by_name: Whether layers are matched by name, those that have no partner left as they are.
        skip_mismatch: Whether weights that do not fit are left as they are, with a warning.
    """

    own: bool = False
    by_name: bool = False
    skip_mismatch: bool = False


class Weights(Protocol):
    """The weights in an open file."""

    def names(self) -> list[str]:
        """The places of all weights in the file."""

    def slots(self, model: Any, matching: Matching) -> list[Slot]:
        """The places of a model's weights; all of them, unless `matching` says otherwise.

        Raises:
            ModelFileError: If the file does not have just these.
        """

    def stored(self, path: str) -> Stored:
        """The array at a place, checked but for its values, which are not read yet."""

    def read(self, items: Sequence[Stored]) -> list[np.ndarray]:
        """The values of arrays; nobody else has their memory."""


class Container(Protocol):
    """An open model file of any format.

    Attributes:
        kind: What it is, for people.
        config: The configuration of the model as JSON; nothing where the file holds weights alone.
        config_key: Where it stands.
        version: Version of Keras that wrote the file, as it says.
        self_test: The recorded self-test; nothing for most files.
    """

    kind: str
    config: bytes
    config_key: str
    version: Any
    self_test: bytes

    def weights(self, limit: int) -> AbstractContextManager[Weights]:
        """Opens the weights.

        Args:
            limit: The most memory that they may take on the way where they are compressed.
        """
