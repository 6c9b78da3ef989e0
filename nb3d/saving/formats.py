"""An open model file as a `Container`: of which format it is, is decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from nb3d.models.files import Path
from nb3d.models.parsing import parse_json
from nb3d.saving import legacy
from nb3d.saving.archive import CONFIG, METADATA, Archive
from nb3d.saving.container import SELF_TEST, Container, Weights
from nb3d.saving.errors import ModelFileError
from nb3d.saving.hdf5 import Hdf5, reading
from nb3d.saving.keras3 import CountedWeights
from nb3d.saving.legacy import LegacyWeights
from nb3d.saving.safetensors import Safetensors
from nb3d.saving.source import HDF5, ZIP, Source, opened

HDF5_SELF_TEST = "nb3d_self_test"  # the name of the dataset


@contextmanager
def opened_container(path: Path) -> Iterator[tuple[Source, Container]]:
    """The model file `path`; errors in the block name it.

    Raises:
        ModelFileError: If it is none, or damaged.
        ImportError: If it needs h5py, and that is missing.
    """
    with opened(path) as source:
        if source.kind == ZIP:
            with closing(KerasArchive(source)) as archive:
                yield source, archive
        elif source.kind == HDF5:
            with reading(source.window(), source.name) as file:
                yield source, Hdf5Model(file)
        else:
            yield source, Safetensors(source)


class KerasArchive:
    """A ``.keras`` file.

    Args:
        source: The file.
    """

    kind = "Keras archive"
    config_key = CONFIG

    def __init__(self, source: Source) -> None:
        self._name = source.name
        self._archive = Archive(source)
        self.config = self._archive.text(CONFIG)
        self.self_test = self._archive.text(SELF_TEST)
        self.version = _version(self._archive.text(METADATA) or b"{}")
        self._checksum = self._archive.checksum()  # last: from now on somebody must call `close`

    @contextmanager
    def weights(self, limit: int) -> Iterator[Weights]:
        """The HDF5 file in it."""
        with reading(self._archive.weights(limit), self._name) as file:
            yield CountedWeights(file)
        if self._checksum is not None:
            self._checksum.check()

    def close(self) -> None:
        """Lets go of the file."""
        if self._checksum is not None:
            self._checksum.stop()


class Hdf5Model:
    """An HDF5 file: a whole model of the older kind, or weights alone of either kind.

    Args:
        file: The file.
    """

    config_key = "attrs['model_config']"

    def __init__(self, file: Hdf5) -> None:
        self._file = file
        config = file.text("", "model_config")
        self.config = b"" if config is None else config.encode()
        self.version: Any = file.text("", legacy.VERSION)
        self.self_test = file.raw(HDF5_SELF_TEST)
        self._root = "" if file.names("", legacy.LAYERS) is not None else legacy.WHOLE_MODEL
        self._listed = not self._root or file.has(legacy.WHOLE_MODEL)
        what = "model" if config is not None else "weights"
        self.kind = f"legacy HDF5 {what}" if self._listed else "Keras 3 weights"

    @contextmanager
    def weights(self, limit: int) -> Iterator[Weights]:
        """The same file."""
        if self._listed or self.config:
            yield LegacyWeights(self._file, self._root)
        else:
            yield CountedWeights(self._file)


def _version(metadata: bytes) -> Any:
    try:
        content = parse_json(metadata)
    except ValueError as error:
        raise ModelFileError(f"this is no JSON: {error}", key=METADATA) from error
    if not isinstance(content, Mapping):
        raise ModelFileError("this is no object", key=METADATA, got=f"{content!r:.40}")
    return content.get("keras_version")
