"""Launches: kernels ask for them, whoever runs the kernels takes them.

A kernel of this room computes nothing when it is called: it calls ``launch``, and the one who called it has opened a
``recording``. A plan records its launches once, for its arrays stay where they are, and then only repeats them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.program import Program

MOST_BLOCKS = (2**31 - 1, 2**16 - 1, 2**16 - 1)


@dataclass(frozen=True)
class Launch:
    """One launch of a program.

    Attributes:
        program: The program.
        grid: Blocks along x, y, z.
        arguments: Arrays and numbers, as the program's types say.
    """

    program: Program
    grid: tuple[int, int, int]
    arguments: tuple[Any, ...]

    def moved(self, where: Callable[[Array], Array]) -> Launch:
        """Returns the same launch on arrays that lie elsewhere."""
        return replace(self, arguments=tuple(where(a) if isinstance(a, Array) else a for a in self.arguments))

    def parameters(self) -> list[tuple[str, Any]]:
        """Returns ``(type, value)`` of every parameter of the compiled kernel.

        Numba passes an array of one axis as seven of them: two that only the host uses, its size, its itemsize, its
        address, its length and its stride.
        """
        result: list[tuple[str, Any]] = []
        for kind, value in zip(self.program.arguments, self.arguments, strict=True):
            if kind.endswith("[]"):
                itemsize = value.dtype.itemsize
                numbers = (0, 0, value.size, itemsize, value.address, value.size, itemsize)
                result += [("uint64", number) for number in numbers]
            else:
                result.append((kind, value))
        return result


Sink = Callable[[Launch], None]
_sink: ContextVar[Sink] = ContextVar("nb3d_cuda_launches")


@contextmanager
def recording(sink: Sink) -> Iterator[None]:
    """Sends the launches of the kernels that are called inside to ``sink``."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


def launch(item: Program, grid: tuple[int, ...], *arguments: Any) -> None:
    """Asks for a launch.

    Raises:
        RuntimeError: If nobody takes launches.
        TypeError: If the arguments do not fit the program.
        ValueError: If the grid is larger than the hardware allows.
    """
    sink = _sink.get(None)
    if sink is None:
        raise RuntimeError("CUDA kernels only run inside a plan: call the model's predict with device='cuda'.")
    whole = (*grid, *(1,) * (3 - len(grid)))
    if any(not 0 < count <= most for count, most in zip(whole, MOST_BLOCKS, strict=True)):
        raise ValueError(f"{item.source}: a grid of {whole} blocks is not between 1 and {MOST_BLOCKS}.")
    if len(arguments) != len(item.arguments):
        raise TypeError(f"{item.source}: {len(item.arguments)} arguments expected, got {len(arguments)}.")
    for kind, value in zip(item.arguments, arguments, strict=True):
        if isinstance(value, Array) and value.dtype.name != kind.removesuffix("[]"):
            raise TypeError(f"{item.source}: an array of {kind.removesuffix('[]')} expected, got {value.dtype.name}.")
    sink(Launch(item, (whole[0], whole[1], whole[2]), arguments))
