"""The one family of exceptions that files raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class ModelFileError(ValueError):
    """A model file that cannot be read, or a model that cannot be written to one.

    Args:
        problem: What is wrong.
        file: The file.
        layer: The layer that it concerns.
        key: The place in the file.
        expected: What should be there.
        got: What is there.

    Example:
        >>> from nb3d.saving import ModelFileError
        >>> print(ModelFileError("the shape differs", file="a.keras", layer="conv", expected=(3, 4), got=(3, 5)))
        a.keras: layer 'conv': the shape differs: expected (3, 4), got (3, 5)
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str = "",
        layer: str = "",
        key: str = "",
        expected: Any = None,
        got: Any = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.file = file
        self.layer = layer
        self.key = key
        self.expected = expected
        self.got = got

    def __str__(self) -> str:
        places = [self.file, f"layer {self.layer!r}" if self.layer else "", self.key, self.problem]
        facts = {"expected": self.expected, "got": self.got}
        told = ", ".join(f"{word} {fact}" for word, fact in facts.items() if fact is not None)
        text = ": ".join(str(part) for part in [*places, told] if part)
        return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


@contextmanager
def about(file: str) -> Iterator[None]:
    """Errors in the block name `file`, unless they name a file already."""
    try:
        yield
    except ModelFileError as error:
        error.file = error.file or file
        raise
