"""The run time on one GPU: arrays that free themselves, kernels loaded once, launches bound once and repeated."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import Launch
from nb3d.kernels.cuda.program import Program
from nb3d.kernels.cuda.seam import Driver
from nb3d.kernels.cuda.turn import Turn


class _Block:
    """Memory of the GPU that is given back when nobody refers to it."""

    def __init__(self, driver: Driver, size: int) -> None:
        self.address = driver.allocate(max(size, 1))
        weakref.finalize(self, driver.free, self.address).atexit = False


class Runtime:
    """Arrays and launches on a driver.

    Args:
        driver: The GPU.

    Attributes:
        driver: The GPU.
        turn: Held by whoever calls the driver, or what ``bind`` returned.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.turn = Turn(driver)
        self._kernels: dict[Program, Any] = {}
        self._constants: weakref.WeakValueDictionary[Any, _Block] = weakref.WeakValueDictionary()

    def allocate(self, shape: tuple[int, ...], dtype: str | np.dtype) -> Array:
        """Returns an array, its content undefined.

        Raises:
            MemoryError: If it does not fit.
        """
        kind = np.dtype(dtype)
        with self.turn:
            block = _Block(self.driver, int(np.prod(shape, dtype=np.int64)) * kind.itemsize)
        return Array(block.address, shape, kind, block)

    def upload(self, array: np.ndarray) -> Array:
        """Returns a copy on the GPU; of an absent operand an array without memory."""
        if array.size == 0:
            return Array(0, array.shape, array.dtype)
        target = self.allocate(array.shape, array.dtype)
        self.write(target, array)
        return target

    def upload_constant(self, array: np.ndarray) -> Array:
        """Returns what ``upload`` returns, for values that nobody will change: equal ones lie there once.

        Plans for several shapes have the same weights.
        """
        if array.size == 0:
            return Array(0, array.shape, array.dtype)
        content = np.ascontiguousarray(array)
        digest = hashlib.sha256(content.reshape(-1).view(np.uint8).data).digest()
        key = content.dtype.str, content.size, digest
        with self.turn:
            block = self._constants.get(key)
            if block is None:
                block = self._constants[key] = _Block(self.driver, content.nbytes)
                self.driver.write(block.address, content)
        return Array(block.address, array.shape, array.dtype, block)

    def write(self, target: Array, array: np.ndarray) -> None:
        """Copies a NumPy array over an array of the GPU of the same shape, converting its dtype."""
        if target.size:
            values = np.ascontiguousarray(array, target.dtype).reshape(target.shape)
            with self.turn:
                self.driver.write(target.address, values)

    def download(self, source: Array) -> np.ndarray:
        """Returns a NumPy array with its values, after everything that was asked for before."""
        out = np.empty(source.shape, source.dtype)
        if out.size:
            with self.turn:
                self.driver.read(source.address, out)
        return out

    def copied(self, source: Array) -> Array:
        """Returns a copy on the GPU."""
        target = self.allocate(source.shape, source.dtype)
        self.copy(target, source)
        return target

    def copy(self, target: Array, source: Array) -> None:
        """Copies one array of the GPU over another of as many bytes."""
        if source.size:
            with self.turn:
                self.driver.copy(target.address, source.address, source.nbytes)

    def pinned(self, like: Array) -> np.ndarray:
        """Returns an array of the host, of the shape of one of the GPU, that copies reach without a detour."""
        with self.turn:
            memory = self.driver.pinned(max(like.nbytes, 1))
        return memory[: like.nbytes].view(like.dtype).reshape(like.shape)

    def bind(self, launches: Sequence[Launch], graph: bool = True) -> Callable[[], None]:
        """Returns one call that carries out all launches, as a graph where that is wanted and the driver can."""
        with self.turn:
            bound = [self._bound(item) for item in launches]

        def run() -> None:
            for call in bound:
                call()

        if not graph or len(bound) < 2:
            return run
        with self.turn:
            return self.driver.capture(run) or run

    def _bound(self, item: Launch) -> Callable[[], None]:
        call = self.driver.bind(
            self._kernel(item.program), item.grid, item.program.threads, item.program.shared, item.parameters()
        )

        def run(_keep: tuple[Any, ...] = item.arguments) -> None:  # the arrays live as long as their launch
            call()

        return run

    def _kernel(self, item: Program) -> Any:
        with self.turn:
            if item not in self._kernels:
                entry, code = item.machine_code(self.driver.architecture, self.driver.assemble)
                self._kernels[item] = self.driver.load(code, entry, item.shared)
            return self._kernels[item]
