"""Global defaults that Keras keeps in ``keras.json``: float type, fuzz factor, data format."""

from __future__ import annotations

import json
import os
import warnings
from typing import Any

FLOAT_TYPES = ("float32", "float64")
DATA_FORMATS = ("channels_last", "channels_first")


def _keras_json() -> str:
    """Where Keras keeps it: in the home folder, or in the temporary one where home cannot be written to."""
    if "KERAS_HOME" in os.environ:
        return os.path.join(os.environ["KERAS_HOME"], "keras.json")
    home = os.path.expanduser("~")
    if not os.access(home, os.W_OK):
        import tempfile  # here, for it takes as long as the rest of this room

        home = tempfile.gettempdir()
    return os.path.join(home, ".keras", "keras.json")


def _read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The file's content; an absent, unreadable or malformed file counts as empty, as in Keras."""
    try:
        with open(path, encoding="utf8") as file:
            content = json.load(file)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


class Settings:
    """Float type, fuzz factor and data format, read once from ``keras.json`` and never written back."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        path = path or _keras_json()
        content = _read(path)
        self._floatx = "float32"
        self._epsilon = 1e-7
        self._image_data_format = "channels_last"
        floatx = content.get("floatx", self._floatx)
        if floatx in FLOAT_TYPES:
            self._floatx = floatx
        else:
            warnings.warn(f"{path}: floatx {floatx!r} is not supported; float32 is used.", stacklevel=2)
        self.set_epsilon(content.get("epsilon", self._epsilon))
        try:
            self.set_image_data_format(content.get("image_data_format", self._image_data_format))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def floatx(self) -> str:
        """The default float type, ``'float32'`` or ``'float64'``."""
        return self._floatx

    def set_floatx(self, value: str) -> None:
        """Sets the default float type.

        Raises:
            ValueError: If `value` is not one of ``'float32'``, ``'float64'``.
        """
        if value not in FLOAT_TYPES:
            raise ValueError(f"Unknown floatx: expected one of {FLOAT_TYPES}, got {value!r}.")
        self._floatx = str(value)

    def epsilon(self) -> float:
        """The fuzz factor that keeps divisions away from zero."""
        return self._epsilon

    def set_epsilon(self, value: float) -> None:
        """Sets the fuzz factor."""
        self._epsilon = float(value)

    def image_data_format(self) -> str:
        """The default data format, ``'channels_last'`` or ``'channels_first'``."""
        return self._image_data_format

    def set_image_data_format(self, data_format: str) -> None:
        """Sets the default data format.

        Raises:
            ValueError: If `data_format` is neither ``'channels_last'`` nor ``'channels_first'``.
        """
        value = str(data_format).lower()
        if value not in DATA_FORMATS:
            raise ValueError(f"Unknown image_data_format: expected one of {DATA_FORMATS}, got {data_format!r}.")
        self._image_data_format = value


SETTINGS = Settings()
