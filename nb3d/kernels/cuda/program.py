"""A kernel as it will be compiled, and its way to machine code: PTX and cubins are kept on disk. Loads no Numba."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from nb3d.kernels import compiling, folders
from nb3d.kernels.cuda import diagnosis

_ENTRY = re.compile(r"\.entry\s+(\w+)")
_COMPILERS = ("numba", "llvmlite", "numba-cuda", "nvidia-nvvm", "nvidia-nvjitlink")

Kind = str | tuple["Kind", ...]
"""The type of an argument: ``float32[]`` of an array, ``int64`` of a number, a tuple of types of a tuple."""


@dataclass(frozen=True)
class Program:
    """A kernel in one of its variants.

    Attributes:
        source: Its module in ``device/``, whose ``build`` returns the kernel's function.
        variant: Keyword arguments of ``build``, sorted.
        arguments: Types of the kernel's arguments.
        threads: Of a block.
        resident: Blocks that must fit a multiprocessor at once.
        shared: Bytes of dynamic shared memory.
    """

    source: str
    variant: tuple[tuple[str, Any], ...]
    arguments: tuple[Kind, ...]
    threads: int
    resident: int = 1
    shared: int = 0

    def function(self) -> Callable[..., Any]:
        """Returns the kernel as a Python function."""
        module = import_module(f"nb3d.kernels.cuda.device.{self.source}")
        function: Callable[..., Any] = module.build(**dict(self.variant))
        return function

    def ptx(self) -> str:
        """Returns its PTX, compiled where no process of this user has done so before."""
        return _kept(self, "ptx", self._compile).decode()

    def machine_code(self, architecture: str, assemble: Callable[[str], bytes]) -> tuple[str, bytes]:
        """Returns its entry and machine code for an architecture, assembled from its PTX where it is not on disk.

        Both in one file: the name of an entry differs from process to process.

        Raises:
            RuntimeError: If the compilers are missing, with the remedy.
        """

        def make() -> bytes:
            ptx = self.ptx()
            found = _ENTRY.search(ptx)
            assert found is not None, f"{self.source} has no entry"
            return found[1].encode() + b"\n" + assemble(ptx)

        try:
            entry, _, code = _counted(self, architecture, make).partition(b"\n")
        except Exception as error:
            compilers = diagnosis.compilers()
            if compilers.good:
                raise
            raise RuntimeError(f"Kernels for {architecture} cannot be compiled: {compilers}.") from error
        return entry.decode(), code

    def _compile(self) -> bytes:
        from nb3d.kernels.cuda.door import compile_ptx

        return compile_ptx(self.function(), self.arguments, self.threads, self.resident).encode()

    @property
    def name(self) -> str:
        """A name that tells it from all others."""
        return f"{self.source}-{hashlib.sha256(repr(self).encode()).hexdigest()[:20]}"


def program(
    source: str, arguments: tuple[Kind, ...], threads: int, resident: int = 1, shared: int = 0, **variant: Any
) -> Program:
    """Returns a program; ``variant`` are the keyword arguments of its ``build``."""
    return Program(source, tuple(sorted(variant.items())), arguments, threads, resident, shared)


@cache
def compilers() -> folders.Versions:
    """Returns those of the packages behind the compiler that are installed, each with its version."""
    found = []
    for package in _COMPILERS:
        with suppress(metadata.PackageNotFoundError):
            found.append((package, metadata.version(package)))
    return tuple(found)


def folder() -> Path | None:
    """Returns the folder of compiled kernels, or ``None``, after a warning, where there can be none."""
    return folders.folder(compilers())


def _counted(item: Program, kind: str, make: Callable[[], bytes]) -> bytes:
    """Returns what is on disk, or makes it, and counts which of both it was."""
    taken: list[float] = []

    def timed() -> bytes:
        start = time.perf_counter()
        content = make()
        taken.append(time.perf_counter() - start)
        return content

    content = _kept(item, kind, timed)
    if taken:
        compiling.compiled(taken[0], folder())
    else:
        compiling.found()
    return content


def _kept(item: Program, kind: str, make: Callable[[], bytes]) -> bytes:
    """Returns what is on disk, or makes it; two processes may make the same, and one copy stays."""
    place = folder()
    if place is None:
        return make()
    path = place / f"{item.name}.{kind}"
    content = folders.read(path)
    if content is None:
        content = make()
        folders.write(path, content)
    return content
